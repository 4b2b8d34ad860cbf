import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the proxy does to a request. */
export type TableFault = 'none' | 'throttle' | 'loseAnswer' | 'slow';

/** What the proxy is started with. */
export interface SlowTableOptions {
  /** Where DynamoDB answers; asked when a request comes, as the port may be unknown before. */
  readonly upstream: () => string;
  /** Requests that go through before the trouble starts. */
  readonly healthy: number;
  /** How long the trouble lasts, milliseconds. */
  readonly troubleMs: number;
  /** How long a slow request waits before it is passed on, milliseconds: longer than its client does. */
  readonly slowMs: number;
}

/**
 * A loopback proxy in front of a local cloud's DynamoDB that is in trouble for a while: it throttles, is too
 * slow, and loses the answers of what it applied, in turn. What a client gave up on is applied all the same,
 * late. Nobody gets an answer before the trouble is over.
 */
export class SlowTable {
  readonly counts: Record<TableFault, number> = { none: 0, throttle: 0, loseAnswer: 0, slow: 0 };
  readonly #options: SlowTableOptions;
  readonly #server: Server;
  #troubleStartMs: number | undefined;

  constructor(options: SlowTableOptions) {
    this.#options = options;
    this.#server = createServer((incoming, answer) => {
      this.#handle(incoming, answer).catch(() => answer.destroy());
    });
  }

  /** Listens on a free port; its URL. */
  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #handle(incoming: IncomingMessage, answer: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const fault = this.#fault();
    this.counts[fault] += 1;
    if (fault === 'throttle') return throttle(answer);
    if (fault === 'slow') await new Promise((done) => setTimeout(done, this.#options.slowMs));
    const upstream = await forward(this.#options.upstream(), incoming, Buffer.concat(chunks));
    if (fault === 'loseAnswer') answer.destroy();
    else if (!answer.destroyed)
      answer.writeHead(upstream.status, upstream.headers).end(upstream.body);
  }

  #fault(): TableFault {
    const { healthy, troubleMs } = this.#options;
    const { none, throttle, loseAnswer, slow } = this.counts;
    if (this.#troubleStartMs === undefined && none < healthy) return 'none';
    this.#troubleStartMs ??= Date.now();
    if (Date.now() - this.#troubleStartMs >= troubleMs) return 'none';
    const turn = (throttle + loseAnswer + slow) % 5;
    if (turn === 2) return 'loseAnswer';
    return turn === 4 ? 'slow' : 'throttle';
  }
}

/** https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html */
function throttle(answer: ServerResponse): void {
  const type = 'com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException';
  answer
    .writeHead(400, { 'content-type': 'application/x-amz-json-1.0' })
    .end(JSON.stringify({ __type: type, message: 'slow down' }));
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

function forward(to: string, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const { method = 'POST', headers, url = '/' } = incoming;
    const call = httpRequest(new URL(url, to), { method, headers }, (from) => {
      const chunks: Buffer[] = [];
      from.on('data', (chunk: Buffer) => chunks.push(chunk));
      from.on('end', () =>
        resolve({
          status: from.statusCode ?? 500,
          headers: from.headers,
          body: Buffer.concat(chunks),
        }),
      );
      from.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}
