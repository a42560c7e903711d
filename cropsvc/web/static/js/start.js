// Loads the page once more when a script or style of it was lost on the way, as it is when the
// network changes under a browser: modules are not fetched again by themselves.

(() => {
  const isReloaded = () => performance.getEntriesByType("navigation")[0]?.type === "reload";
  const pause = (seconds) => new Promise((done) => { setTimeout(done, 1000 * seconds); });
  let noticed = false;

  async function reload() {
    for (let seconds = 0.5; ; seconds = Math.min(8, 2 * seconds)) {
      const answer = await fetch(location.href, { method: "HEAD", cache: "no-store" }).catch(() => null);
      if (answer && answer.status < 500) return location.reload();
      await pause(seconds);
    }
  }

  function complain() {
    const problem = document.getElementById("problem");
    problem.textContent = problem.dataset.lost;
    problem.hidden = false;
  }

  function lost(event) {
    if (noticed || !event.target.matches?.("script, link[rel=stylesheet]")) return;
    noticed = true;
    if (!isReloaded()) reload();
    else if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", complain);
    else complain();
  }

  window.addEventListener("error", lost, true); // such an event does not bubble
})();
