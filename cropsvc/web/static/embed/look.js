// How the component looks: a constructed style sheet, which a host page's CSP does not forbid.

export const sheet = new CSSStyleSheet();

sheet.replaceSync(`
:host {
  --accent: var(--crop-image-accent, #0b6b5d);
  --on-accent: var(--crop-image-on-accent, #fff);
  --bad: var(--crop-image-bad, #b3261e);
  display: block;
  max-inline-size: var(--crop-image-width, 30rem);
}
:host([hidden]), [hidden] { display: none !important; }
*, *::before, *::after { box-sizing: border-box; }
p { margin: 0; }

.view { display: grid; gap: .75rem; }
.drop { justify-items: center; padding: 2rem 1rem; border: 2px dashed color-mix(in srgb, currentColor 55%, transparent); border-radius: 12px; text-align: center; }
.drop.over { border-color: var(--accent); border-style: solid; }
.row { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; }
.gap { flex: 1; }

button { min-block-size: 2.75rem; min-inline-size: 2.75rem; padding: .4rem .9rem; border: 1px solid color-mix(in srgb, currentColor 60%, transparent); border-radius: 8px; background: transparent; color: inherit; font: inherit; cursor: pointer; }
button:disabled { opacity: .5; cursor: default; }
button.main { border-color: var(--accent); background: var(--accent); color: var(--on-accent); font-weight: 600; }
:focus-visible { outline: 3px solid var(--crop-image-focus, var(--accent)); outline-offset: 2px; }

.stage { position: relative; inline-size: 100%; min-block-size: 10rem; max-block-size: var(--crop-image-height, 60vh); overflow: hidden; background: #262e2d; touch-action: none; user-select: none; cursor: crosshair; }
.stage > * { position: absolute; }
.stage canvas, .result canvas { background: repeating-conic-gradient(#b9bfbd 0 25%, #e9ecea 0 50%) 0 0 / 16px 16px; }
[part~=box] { outline: 2px solid #fff; box-shadow: 0 0 0 3px rgb(0 0 0 / 45%), 0 0 0 9999px rgb(0 0 0 / 55%); cursor: move; }
[part~=grip] { position: absolute; inline-size: 24px; block-size: 24px; margin: -12px; }
[part~=grip]::after { content: ""; position: absolute; inset: 6px; border-radius: 50%; background: #fff; box-shadow: 0 0 0 1.5px rgb(0 0 0 / 55%); }
.n { left: 50%; top: 0; cursor: ns-resize; } .s { left: 50%; top: 100%; cursor: ns-resize; }
.w { left: 0; top: 50%; cursor: ew-resize; } .e { left: 100%; top: 50%; cursor: ew-resize; }
.nw { left: 0; top: 0; cursor: nwse-resize; } .se { left: 100%; top: 100%; cursor: nwse-resize; }
.ne { left: 100%; top: 0; cursor: nesw-resize; } .sw { left: 0; top: 100%; cursor: nesw-resize; }

progress { inline-size: 100%; accent-color: var(--accent); }
.result canvas { display: block; max-inline-size: 100%; max-block-size: var(--crop-image-height, 60vh); }
.problem { margin-block-start: .75rem; padding: .6rem .8rem; border-inline-start: 4px solid var(--bad); background: color-mix(in srgb, var(--bad) 12%, transparent); }
.sr { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

@media (prefers-reduced-motion: no-preference) { button, .drop { transition: background-color .15s, border-color .15s; } }
@media (forced-colors: active) { [part~=box] { outline-color: Highlight; } [part~=grip]::after { background: ButtonText; } }
`);
