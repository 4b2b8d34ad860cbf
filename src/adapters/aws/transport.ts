import http from 'node:http';
import https from 'node:https';

/** A request ready to be sent by POST to `/`. */
export interface WireRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

/** What came back. */
export interface WireAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/** Sends one request, once; rejects when no whole answer came. */
export type Transport = (
  request: WireRequest,
  options: { readonly abortSignal: AbortSignal },
) => Promise<WireAnswer>;

/** Connections at the same time, as many as the SDK has. */
const SOCKETS_MAX = 50;

/** HTTP/1.1 over connections that are kept; TLS where the endpoint says so. */
export function makeTransport(endpoint: URL): Transport {
  const client = endpoint.protocol === 'http:' ? http : https;
  const agent = new client.Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });
  const { hostname, port } = endpoint;
  return ({ headers, body }, { abortSignal }) =>
    new Promise((resolve, reject) => {
      const options = { agent, hostname, port, method: 'POST', path: '/', headers };
      const request = client.request({ ...options, signal: abortSignal }, (response) => {
        const parts: Buffer[] = [];
        response.on('data', (part: Buffer) => parts.push(part));
        response.on('error', reject);
        response.on('end', () => {
          if (response.complete) {
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) });
          } else reject(new Error('the connection ended within an answer'));
        });
      });
      request.on('error', reject);
      request.end(body);
    });
}
