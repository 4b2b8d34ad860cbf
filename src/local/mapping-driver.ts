import { setTimeout as delay } from 'node:timers/promises';
import {
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type KinesisClient,
  ListShardsCommand,
} from '@aws-sdk/client-kinesis';
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { MappingRecord, Outcome } from '../mapping/batch.ts';
import { type MappingDiscard, MappingEngine, type MappingInvocation } from '../mapping/engine.ts';
import { failureDocument } from '../mapping/failure-document.ts';
import { eventRecord } from '../mapping/kinesis-event.ts';
import type { Bucket } from '../ports/bucket.ts';
import type { DeployedMapping } from './deployed-mapping.ts';

/** What the driver reads and calls. */
export interface MappingDriverOptions {
  readonly kinesis: KinesisClient;
  readonly lambda: LambdaClient;
  /** The failure destination. */
  readonly failures: Bucket;
  readonly mapping: DeployedMapping;
  /** Last finished sequence number of each shard; reading starts behind it, else at the oldest record. */
  readonly checkpoints: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** How far it is. */
export interface MappingProgress {
  readonly read: number;
  /** Acknowledged by the function. */
  readonly processed: number;
  readonly givenUp: number;
  readonly invocations: number;
  /** Invocations that failed, were throttled or left records for the next try. */
  readonly troubled: number;
  /** What the last failed invocation said, if any did. */
  readonly lastFailure: string | undefined;
  /** Age of the oldest record that is not finished, milliseconds; 0 when there is none. */
  readonly lagMs: number;
}

/** Between two reads of a shard that has nothing new, and after a fault; Kinesis allows 5 a second. */
const POLL_MS = 200;
const RECORDS_PER_READ = 10_000;

/**
 * Drives the mapping engine in real time: reads the shards of a stream, invokes the function, and writes
 * what is given up to the failure destination, as Lambda's pollers do.
 *
 * Boundary: decides nothing; what to send and when is the engine's.
 *
 * Invariants
 * 1. A shard has one reader; it adds records in the order of the shard.
 * 2. `#pump` runs after everything that can change what the engine wants: records, outcomes, time.
 */
export class MappingDriver {
  readonly #options: MappingDriverOptions;
  readonly #engine: MappingEngine<string>;
  readonly #checkpoints = new Map<string, string>();
  readonly #readers = new Map<string, Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #read = 0;
  #givenUp = 0;
  #invocations = 0;
  #troubled = 0;
  #lastFailure: string | undefined;
  #fault: unknown;

  constructor(options: MappingDriverOptions) {
    this.#options = options;
    this.#engine = new MappingEngine(options.mapping.settings);
    for (const [shard, sequence] of Object.entries(options.checkpoints)) {
      this.#checkpoints.set(shard, sequence);
    }
  }

  /** Starts reading; ends with the signal. */
  async start(): Promise<void> {
    await this.#discover();
    this.#options.signal.addEventListener('abort', () => clearTimeout(this.#timer), { once: true });
  }

  /** @throws what stopped a reader */
  progress(): MappingProgress {
    if (this.#fault !== undefined) throw this.#fault;
    const oldestMs = this.#engine.oldestArrivalMs;
    return {
      read: this.#read,
      processed: this.#read - this.#engine.backlog - this.#givenUp,
      givenUp: this.#givenUp,
      invocations: this.#invocations,
      troubled: this.#troubled,
      lastFailure: this.#lastFailure,
      lagMs: oldestMs === undefined ? 0 : Math.max(0, Date.now() - oldestMs),
    };
  }

  /** True when the record of the shard and all before it are finished. */
  isFinishedUpTo(shard: string, sequence: string): boolean {
    return this.#engine.isFinishedUpTo(shard, sequence);
  }

  /** Where the next run goes on, once nothing is unfinished. */
  checkpoints(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#checkpoints);
  }

  async #discover(): Promise<void> {
    const { kinesis, mapping, signal } = this.#options;
    let NextToken: string | undefined;
    do {
      const command = new ListShardsCommand(
        NextToken === undefined ? { StreamARN: mapping.streamArn } : { NextToken },
      );
      const page = await kinesis.send(command, { abortSignal: signal });
      for (const { ShardId: id = '', ParentShardId, AdjacentParentShardId } of page.Shards ?? []) {
        const parents = [ParentShardId, AdjacentParentShardId].filter((one) => one !== undefined);
        this.#engine.addShard({ id, parents }, Date.now());
        if (!this.#readers.has(id)) this.#readers.set(id, this.#readShard(id));
      }
      NextToken = page.NextToken;
    } while (NextToken !== undefined);
  }

  async #readShard(id: string): Promise<void> {
    const { kinesis, signal } = this.#options;
    let iterator: string | undefined;
    try {
      while (!signal.aborted) {
        if (!this.#engine.wantsRecords(id)) {
          await delay(POLL_MS / 4, undefined, { signal });
          continue;
        }
        iterator ??= await this.#iterator(id);
        const command = new GetRecordsCommand({ ShardIterator: iterator, Limit: RECORDS_PER_READ });
        const answer = await kinesis.send(command, { abortSignal: signal }).catch(expired);
        iterator = answer?.NextShardIterator;
        const count = this.#add(id, answer?.Records ?? []);
        if (answer !== undefined && iterator === undefined) return await this.#end(id);
        if (count === 0) await delay(POLL_MS, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) this.#fault ??= error;
    }
  }

  async #iterator(shard: string): Promise<string | undefined> {
    const { kinesis, mapping, signal } = this.#options;
    const checkpoint = this.#checkpoints.get(shard);
    const from =
      checkpoint === undefined
        ? { ShardIteratorType: mapping.startingPosition }
        : {
            ShardIteratorType: 'AFTER_SEQUENCE_NUMBER' as const,
            StartingSequenceNumber: checkpoint,
          };
    const command = new GetShardIteratorCommand({
      StreamARN: mapping.streamArn,
      ShardId: shard,
      ...from,
    });
    return (await kinesis.send(command, { abortSignal: signal })).ShardIterator;
  }

  async #end(id: string): Promise<void> {
    this.#engine.endShard(id);
    await this.#discover();
  }

  #add(shard: string, records: readonly KinesisRecord[]): number {
    const last = records.at(-1)?.SequenceNumber;
    if (last === undefined) return 0;
    const { streamArn, region } = this.#options.mapping;
    const source = { streamArn, region, shard };
    this.#engine.addRecords(
      shard,
      records.map((record) => mappingRecord(record, source)),
    );
    this.#checkpoints.set(shard, last);
    this.#read += records.length;
    this.#pump();
    return records.length;
  }

  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#options.signal.aborted) return;
    const { invocations, discards, wakeMs } = this.#engine.step(Date.now());
    for (const invocation of invocations) this.#invoke(invocation).catch(this.#stop);
    for (const discard of discards) this.#giveUp(discard).catch(this.#stop);
    if (wakeMs === undefined) return;
    this.#timer = setTimeout(() => this.#pump(), Math.max(0, wakeMs - Date.now()));
  }

  readonly #stop = (error: unknown) => {
    this.#fault ??= error;
  };

  async #invoke({ id, batch }: MappingInvocation<string>): Promise<void> {
    this.#invocations += 1;
    const outcome = await this.#call(payloadOf(batch.records));
    const before = this.#engine.backlog;
    this.#engine.finish(id, outcome, Date.now());
    if (before - this.#engine.backlog < batch.records.length) this.#troubled += 1;
    this.#pump();
  }

  async #call(payload: string): Promise<Outcome> {
    const { lambda, mapping, signal } = this.#options;
    try {
      const command = new InvokeCommand({ FunctionName: mapping.functionArn, Payload: payload });
      const answer = await lambda.send(command, { abortSignal: signal });
      const text = answer.Payload?.transformToString() ?? '';
      if (answer.FunctionError !== undefined) return this.#failed(text);
      return { type: 'answered', answer: text === '' ? null : JSON.parse(text) };
    } catch (error) {
      // An answer that is no JSON came from a function that ran.
      if (error instanceof SyntaxError) return this.#failed(error.message);
      this.#lastFailure =
        error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      return { type: 'not-invoked' };
    }
  }

  #failed(said: string): Outcome {
    this.#lastFailure = said.slice(0, 500);
    return { type: 'failed' };
  }

  async #giveUp(discard: MappingDiscard<string>): Promise<void> {
    this.#givenUp += discard.batch.records.length;
    const { mapping, failures } = this.#options;
    const { key, body } = failureDocument(discard, {
      mappingId: mapping.id,
      functionArn: mapping.functionArn,
      streamArn: mapping.streamArn,
      requestId: crypto.randomUUID(),
      nowMs: Date.now(),
      uuid: crypto.randomUUID(),
      payload: payloadOf(discard.batch.records),
    });
    await failures.put(key, Buffer.from(body), 'application/json', {
      deadlineMs: Date.now() + 60_000,
    });
  }
}

interface KinesisRecord {
  readonly SequenceNumber?: string | undefined;
  readonly PartitionKey?: string | undefined;
  readonly Data?: Uint8Array | undefined;
  readonly ApproximateArrivalTimestamp?: Date | undefined;
}

function mappingRecord(
  record: KinesisRecord,
  source: { streamArn: string; region: string; shard: string },
): MappingRecord<string> {
  const { SequenceNumber: sequence = '', PartitionKey: partitionKey = '' } = record;
  const arrivalMs = record.ApproximateArrivalTimestamp?.getTime() ?? Date.now();
  const data = record.Data ?? new Uint8Array();
  const payload = JSON.stringify(eventRecord({ sequence, partitionKey, data, arrivalMs }, source));
  return { sequence, partitionKey, arrivalMs, sizeBytes: payload.length + 1, payload };
}

function payloadOf(records: readonly MappingRecord<string>[]): string {
  return `{"Records":[${records.map(({ payload }) => payload).join(',')}]}`;
}

/** An iterator lives five minutes; without an answer a new one is taken behind the last record. */
function expired(error: unknown): undefined {
  if (error instanceof ExpiredIteratorException) return undefined;
  throw error;
}
