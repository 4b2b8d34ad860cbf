import { KinesisClient } from '@aws-sdk/client-kinesis';
import { systemClock } from '../../src/adapters/aws/clock.ts';
import {
  dynamoEndpoint,
  environmentCredentials,
  makeLeanClient,
  type SendDynamo,
} from '../../src/adapters/aws/lean-client.ts';
import { makeLeanTable } from '../../src/adapters/aws/lean-table.ts';
import { makeAwsOutlet } from '../../src/adapters/aws/outlet.ts';
import { systemRandom } from '../../src/adapters/aws/random.ts';
import { CLIENT_DEFAULTS } from '../../src/adapters/aws/send.ts';
import { makeAwsShards } from '../../src/adapters/aws/shards.ts';
import { makeAwsStream } from '../../src/adapters/aws/stream.ts';
import { makeTransport } from '../../src/adapters/aws/transport.ts';
import type { OutputTarget } from '../../src/core/contract.ts';
import type { FedStream } from '../../src/handlers/ports.ts';
import type { Shards } from '../../src/ports/shards.ts';
import type { Stream } from '../../src/ports/stream.ts';
import type { Table } from '../../src/ports/table.ts';
import { readRegion } from './env.ts';
import { UnitMeter } from './unit-meter.ts';

/** Counts what the tables bill. */
export const unitMeter = new UnitMeter();

let dynamoDb: SendDynamo | undefined;

/** Our own client rather than the SDK's (ADR 0019). Made when it is first needed: a pipeline may set the endpoint. */
function dynamoClient(): SendDynamo {
  if (dynamoDb !== undefined) return dynamoDb;
  const region = readRegion();
  const endpoint = dynamoEndpoint(region);
  dynamoDb = makeLeanClient({
    endpoint,
    region,
    credentials: environmentCredentials,
    transport: makeTransport(endpoint),
    clock: systemClock,
    onUnits: (consumed, operation) => unitMeter.note(consumed, operation),
  });
  return dynamoDb;
}

const kinesis = new KinesisClient(CLIENT_DEFAULTS);

/** The ports that need no name. */
export const systemPorts = { clock: systemClock, random: systemRandom } as const;

/** A table of the data stack. */
export function tablePort(tableName: string): Table {
  return makeLeanTable({ client: dynamoClient(), tableName, clock: systemClock });
}

/** The pipeline's stream. */
export function streamPort(streamArn: string): Stream {
  return makeAwsStream({ client: kinesis, streamArn, clock: systemClock });
}

/** The shards of the pipeline's stream. */
export function shardsPort(streamArn: string): Shards {
  return makeAwsShards({ client: kinesis, streamArn, clock: systemClock });
}

/** The streams of the pipelines that are fed. @param json what the stack says of them */
export function outletPorts(json: string): Readonly<Record<string, FedStream>> {
  const targets: Record<string, OutputTarget> = JSON.parse(json);
  const outlets = Object.entries(targets).map(([output, { streamArn, partitions }]) => [
    output,
    { outlet: makeAwsOutlet({ client: kinesis, streamArn, clock: systemClock }), partitions },
  ]);
  return Object.fromEntries(outlets);
}
