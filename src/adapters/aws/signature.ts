import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';

/** Credentials of AWS; the token belongs to temporary ones, as a function has them. */
export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

/** What a signature is for. */
export interface SignedScope {
  readonly region: string;
  /** The service's name in signatures, such as `dynamodb`. */
  readonly service: string;
  /** The host as it stands in the Host header, with its port where it isn't the default one. */
  readonly host: string;
}

/** A request to `/` by POST, as the JSON services have it. */
export interface UnsignedRequest {
  /** Such as `DynamoDB_20120810.PutItem`. */
  readonly target: string;
  readonly body: Uint8Array;
  /** Milliseconds since 1970 UTC. */
  readonly nowMs: number;
}

const CONTENT_TYPE = 'application/x-amz-json-1.0';

/**
 * Signs requests by AWS Signature Version 4, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * The key of a day is derived once for the same credentials.
 */
export class Signer {
  readonly #scope: SignedScope;
  #day = '';
  #secret = '';
  /** A key object: bytes would be made one for each request. */
  #key: KeyObject | undefined;

  constructor(scope: SignedScope) {
    this.#scope = scope;
  }

  /** The headers of a request, with its signature. */
  headers(request: UnsignedRequest, credentials: Credentials): Record<string, string> {
    const date = new Date(request.nowMs).toISOString().replace(/[-:]|\.\d{3}/g, '');
    const signed: Record<string, string> = {
      'content-type': CONTENT_TYPE,
      host: this.#scope.host,
      'x-amz-date': date,
      ...(credentials.sessionToken === undefined
        ? {}
        : { 'x-amz-security-token': credentials.sessionToken }),
      'x-amz-target': request.target,
    };
    const names = Object.keys(signed).join(';');
    const lines = Object.entries(signed).map(([name, value]) => `${name}:${value}\n`);
    const canonical = `POST\n/\n\n${lines.join('')}\n${names}\n${hash('sha256', request.body)}`;
    const day = date.slice(0, 8);
    const scope = `${day}/${this.#scope.region}/${this.#scope.service}/aws4_request`;
    const text = `AWS4-HMAC-SHA256\n${date}\n${scope}\n${hash('sha256', canonical)}`;
    const key = this.#keyOf(day, credentials.secretAccessKey);
    const signature = createHmac('sha256', key).update(text).digest('hex');
    return {
      ...signed,
      'content-length': String(request.body.length),
      authorization: `AWS4-HMAC-SHA256 Credential=${credentials.accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
    };
  }

  #keyOf(day: string, secret: string): KeyObject {
    if (this.#key === undefined || day !== this.#day || secret !== this.#secret) {
      const parts = [day, this.#scope.region, this.#scope.service, 'aws4_request'];
      const bytes = parts.reduce(
        (key, part) => createHmac('sha256', key).update(part).digest(),
        Buffer.from(`AWS4${secret}`),
      );
      this.#key = createSecretKey(bytes);
      this.#day = day;
      this.#secret = secret;
    }
    return this.#key;
  }
}
