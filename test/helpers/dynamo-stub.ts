import { createHash, createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request that came in. */
export interface SeenRequest {
  readonly operation: string;
  readonly body: string;
  readonly headers: IncomingMessage['headers'];
  /** Whether its signature is the one of its headers, its body and the secret. */
  readonly isSigned: boolean;
}

/** How one request is answered. */
export type StubAnswer = (response: ServerResponse, request: SeenRequest) => void;

/** A stand-in for DynamoDB that answers as it is told, in order, and checks signatures. */
export class DynamoStub {
  readonly seen: SeenRequest[] = [];
  /** Connections that were opened. */
  connections = 0;
  readonly #server: Server;
  readonly #answers: StubAnswer[];
  readonly #secret: string;

  private constructor(secret: string, answers: readonly StubAnswer[]) {
    this.#secret = secret;
    this.#answers = [...answers];
    this.#server = createServer((request, response) => this.#handle(request, response));
    this.#server.on('connection', () => {
      this.connections += 1;
    });
  }

  /** Listens on a free port of the loopback. */
  static async open(secret: string, answers: readonly StubAnswer[]): Promise<DynamoStub> {
    const stub = new DynamoStub(secret, answers);
    await new Promise<void>((resolve) => stub.#server.listen(0, '127.0.0.1', resolve));
    return stub;
  }

  get endpoint(): URL {
    return new URL(`http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`);
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const body = Buffer.concat(parts);
      const target = String(request.headers['x-amz-target']);
      const one = {
        operation: target.slice(target.indexOf('.') + 1),
        body: body.toString(),
        headers: request.headers,
        isSigned: isSigned(request, body, this.#secret),
      };
      this.seen.push(one);
      const answer = this.#answers.shift() ?? json(200, {});
      answer(response, one);
    });
  }
}

/** Answers with a status and a document. */
export function json(status: number, document: object): StubAnswer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(document));
  };
}

/** Checks a signature from what arrived, as AWS documents Signature Version 4. */
function isSigned(request: IncomingMessage, body: Buffer, secret: string): boolean {
  const { authorization = '' } = request.headers;
  const match =
    /^AWS4-HMAC-SHA256 Credential=[^/]+\/(\d{8})\/([\w-]+)\/([\w-]+)\/aws4_request, SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  if (match === null) return false;
  const [, day = '', region = '', service = '', names = '', signature = ''] = match;
  const headers = names.split(';').map((name) => `${name}:${request.headers[name]}\n`);
  const sha = (data: string | Buffer) => createHash('sha256').update(data).digest('hex');
  const canonical = `${request.method}\n${request.url}\n\n${headers.join('')}\n${names}\n${sha(body)}`;
  const scope = `${day}/${region}/${service}/aws4_request`;
  const text = `AWS4-HMAC-SHA256\n${request.headers['x-amz-date']}\n${scope}\n${sha(canonical)}`;
  const hmac = (key: string | Buffer, data: string) =>
    createHmac('sha256', key).update(data).digest();
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), service), 'aws4_request');
  return createHmac('sha256', key).update(text).digest('hex') === signature;
}
