import type { components, operations } from "./openapi.js";

type Schemas = components["schemas"];
export type Job = Schemas["Job"] & { readonly token?: string };
export type Output = Schemas["Output"];
export type Token = Schemas["Token"];
export type Parameters = {
  [name in keyof NonNullable<operations["submit"]["parameters"]["query"]>]?:
    | string | number | boolean | readonly (string | number)[] | readonly object[];
};
export type TokenWanted = NonNullable<operations["make_token"]["requestBody"]>["content"]["application/json"];
type Signal = { signal?: AbortSignal };
type JobOrId = Job | string;

export declare class CropError extends Error {
  readonly status: number;
  readonly code: string;
  readonly errors: readonly Schemas["FieldError"][];
  readonly retryAfter: number | null;
}

export declare class CropClient {
  constructor(url: string | URL, options?: { key?: string | null; patience?: number });
  submit(
    image: Blob | ArrayBuffer | ArrayBufferView | null,
    parameters?: Parameters,
    options?: Signal & { onProgress?: (fraction: number) => void; idempotencyKey?: string },
  ): Promise<Job>;
  job(job: JobOrId, options?: Signal & { wait?: number }): Promise<Job>;
  wait(job: JobOrId, options?: Signal): Promise<Job>;
  events(
    job: JobOrId,
    options?: Signal,
  ): AsyncGenerator<{ kind: "progress" | "done" | "failed" | "canceled"; job: Job }, void, void>;
  image(job: JobOrId, output?: string | null, options?: Signal): Promise<Blob>;
  delete(job: JobOrId, options?: Signal): Promise<void>;
  token(wanted?: TokenWanted, options?: Signal): Promise<Token>;
  urlOf(job: JobOrId, what?: string, token?: string): string;
}

export declare function verifyWebhook(
  body: string,
  headers: Headers | Record<string, string | undefined>,
  secrets: string | readonly string[],
  options?: { tolerance?: number },
): Promise<{ type: "crop.done" | "crop.failed" | "crop.canceled"; timestamp: string; data: Job }>;
