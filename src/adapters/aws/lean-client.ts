import { InvariantError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { CallOptions } from './dynamo-calls.ts';
import { type Credentials, Signer } from './signature.ts';
import type { Transport } from './transport.ts';

/** What DynamoDB refused a request with. */
export class DynamoError extends Error {
  /** DynamoDB's name of it, such as `ThrottlingException`. */
  override readonly name: string;
  /** The item that a failed condition found, in DynamoDB's JSON. */
  readonly item: unknown;

  constructor(name: string, message: string, item: unknown) {
    super(message);
    this.name = name;
    this.item = item;
  }
}

/** One request. */
export interface DynamoRequest {
  readonly operation:
    | 'BatchExecuteStatement'
    | 'BatchGetItem'
    | 'BatchWriteItem'
    | 'PutItem'
    | 'Query';
  /** JSON. */
  readonly body: string;
}

/** Sends a request once and gives its answer. @throws DynamoError, and what the transport throws */
export type SendDynamo = (request: DynamoRequest, options: CallOptions) => Promise<object>;

/** What a client is made with. */
export interface LeanClientOptions {
  /** The region's endpoint, or one that stands in for it. */
  readonly endpoint: URL;
  readonly region: string;
  /** Asked for each request: temporary credentials change. */
  readonly credentials: () => Credentials;
  readonly transport: Transport;
  readonly clock: Clock;
  /** Told what each answer says of billed units, as it stands there. */
  readonly onUnits?: (consumed: unknown, operation: DynamoRequest['operation']) => void;
}

/**
 * A client of DynamoDB with what the handlers need of one: five requests, signed, one attempt each. Retries, waiting
 * and the deadline are the handlers'; see ADR 0019.
 */
export function makeLeanClient(options: LeanClientOptions): SendDynamo {
  const { endpoint, region, credentials, transport, clock, onUnits } = options;
  const signer = new Signer({ region, service: 'dynamodb', host: endpoint.host });
  return async ({ operation, body }, callOptions) => {
    const bytes = Buffer.from(body);
    const target = `DynamoDB_20120810.${operation}`;
    const headers = signer.headers({ target, body: bytes, nowMs: clock.now() }, credentials());
    const { status, body: answered } = await transport({ headers, body: bytes }, callOptions);
    const answer = parse(answered);
    if (status !== 200 || answer === undefined) throw errorOf(status, answer);
    onUnits?.(Reflect.get(answer, 'ConsumedCapacity'), operation);
    return answer;
  };
}

/** The region's endpoint; AWS_ENDPOINT_URL and AWS_ENDPOINT_URL_DYNAMODB stand in for it, as for the SDK. */
export function dynamoEndpoint(region: string, env = process.env): URL {
  const own = env.AWS_ENDPOINT_URL_DYNAMODB ?? env.AWS_ENDPOINT_URL;
  if (own !== undefined && own !== '') return new URL(own);
  const domain = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return new URL(`https://dynamodb.${region}.${domain}`);
}

/**
 * The credentials that Lambda puts into the environment.
 *
 * @throws InvariantError where there are none: other sources, such as files and roles of machines, are the SDK's
 */
export function environmentCredentials(env = process.env): Credentials {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  if (!accessKeyId || !secretAccessKey) {
    throw new InvariantError(
      'credentials: got no AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, expected those that Lambda sets',
    );
  }
  return { accessKeyId, secretAccessKey, sessionToken: env.AWS_SESSION_TOKEN || undefined };
}

function parse(body: Buffer): object | undefined {
  try {
    const answer: unknown = JSON.parse(body.toString());
    return typeof answer === 'object' && answer !== null ? answer : undefined;
  } catch {
    return undefined;
  }
}

/** Errors say `__type`, such as `com.amazonaws.dynamodb.v20120810#ThrottlingException`. */
function errorOf(status: number, answer: object | undefined): DynamoError {
  const told = (name: string): unknown =>
    answer === undefined ? undefined : Reflect.get(answer, name);
  const type = String(told('__type') ?? `Http${status}`);
  const message = String(told('message') ?? told('Message') ?? `answered with status ${status}`);
  return new DynamoError(type.slice(type.indexOf('#') + 1), message, told('Item'));
}
