import { setTimeout as delay } from 'node:timers/promises';
import { InvokeCommand, type LambdaClient, RequestTooLargeException } from '@aws-sdk/client-lambda';
import type { MappingRecord, Outcome } from '../mapping/batch.ts';
import { type MappingDiscard, MappingEngine, type MappingInvocation } from '../mapping/engine.ts';
import { failureDocument } from '../mapping/failure-document.ts';
import { DEFAULT_POLICIES } from '../mapping/policies.ts';
import { readFrom } from '../mapping/starting-position.ts';
import type { Bucket } from '../ports/bucket.ts';
import type { MappingCall } from './cloudwatch/service-metrics.ts';
import { ShardReader, type ShardReaderOptions } from './shard-reader.ts';

/** What the driver reads and calls. */
export interface MappingDriverOptions extends ShardReaderOptions {
  readonly lambda: LambdaClient;
  /** The failure destination. */
  readonly failures: Bucket;
  /** Last finished sequence number of each shard; reading starts behind it, else where the mapping starts. */
  readonly checkpoints: Readonly<Record<string, string>>;
  /** Told of what the driver did. */
  readonly observer?: MappingObserver;
}

/** Who is told of what the driver did. */
export interface MappingObserver {
  readonly called: (call: MappingCall) => void;
  /** Records went to the failure destination. */
  readonly gaveUp: (records: number) => void;
}

/** How far it is. */
export interface MappingProgress {
  readonly read: number;
  /** Acknowledged by the function. */
  readonly processed: number;
  /** Dropped by the mapping's filters. */
  readonly dropped: number;
  readonly givenUp: number;
  readonly invocations: number;
  /** Invocations that failed, were throttled or left records for the next try. */
  readonly troubled: number;
  /** What the last failed invocation said, if any did. */
  readonly lastFailure: string | undefined;
  /** Age of the oldest record that is not finished, milliseconds; 0 when there is none. */
  readonly lagMs: number;
}

/** What Lambda says of an invocation besides its outcome. */
interface Ran {
  readonly requestId: string | undefined;
  readonly version: string | undefined;
}

/** Between two reads of a shard that has nothing new, and after a fault; Kinesis allows 5 a second. */
const POLL_MS = 200;

/**
 * Drives the mapping engine in real time: reads the shards of a stream, invokes the function, and writes
 * what is given up to the failure destination, as Lambda's pollers do.
 *
 * Boundary: decides nothing; where to start, what to send and when is the engine's.
 *
 * Invariants
 * 1. A shard has one reader; it adds records in the order of the shard.
 * 2. `#pump` runs after everything that can change what the engine wants: records, outcomes, time.
 * 3. The mapping counts as created when the driver is: it was off before.
 * 4. While it is paused nothing is read and no call is begun; calls that were begun come to their end.
 */
export class MappingDriver {
  readonly #options: MappingDriverOptions;
  readonly #createdMs = Date.now();
  readonly #reader: ShardReader;
  readonly #engine: MappingEngine<string>;
  readonly #readers = new Map<string, Promise<void>>();
  /** By outcome, for as long as the engine keeps that. */
  readonly #ran = new WeakMap<Outcome, Ran>();
  #timer: NodeJS.Timeout | undefined;
  #read = 0;
  #dropped = 0;
  #givenUp = 0;
  #invocations = 0;
  #troubled = 0;
  #lastFailure: string | undefined;
  #fault: unknown;
  #paused = false;

  constructor(options: MappingDriverOptions) {
    this.#options = options;
    this.#reader = new ShardReader(options);
    this.#engine = new MappingEngine(options.mapping.settings, DEFAULT_POLICIES);
  }

  /** Starts reading; ends with the signal. */
  async start(): Promise<void> {
    await this.#discover();
    this.#options.signal.addEventListener('abort', () => clearTimeout(this.#timer), { once: true });
  }

  /** Stops reading and calling, as a mapping that is switched off. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on after a pause. */
  resume(): void {
    this.#paused = false;
    this.#pump();
  }

  /** True between pause and resume. */
  get isPaused(): boolean {
    return this.#paused;
  }

  /** @throws what stopped a reader */
  progress(): MappingProgress {
    if (this.#fault !== undefined) throw this.#fault;
    const oldestMs = this.#engine.oldestArrivalMs;
    return {
      read: this.#read,
      processed: this.#read - this.#dropped - this.#engine.backlog - this.#givenUp,
      dropped: this.#dropped,
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

  /** Where the next run goes on: up to there everything is finished. */
  checkpoints(): Readonly<Record<string, string>> {
    const found = { ...this.#options.checkpoints };
    for (const shard of this.#readers.keys()) {
      const checkpoint = this.#engine.checkpoint(shard);
      if (checkpoint !== undefined) found[shard] = checkpoint;
    }
    return found;
  }

  async #discover(): Promise<void> {
    for (const shard of await this.#reader.list()) {
      const checkpoint = this.#options.checkpoints[shard.id];
      this.#engine.addShard({ ...shard, checkpoint }, Date.now());
      if (!this.#readers.has(shard.id)) this.#readers.set(shard.id, this.#readShard(shard.id));
    }
  }

  async #readShard(id: string): Promise<void> {
    const { signal } = this.#options;
    let iterator: string | undefined;
    let last: string | undefined;
    try {
      while (!signal.aborted) {
        if (this.#paused || !this.#engine.wantsRecords(id)) {
          await delay(POLL_MS / 4, undefined, { signal });
          continue;
        }
        iterator ??= await this.#iterator(id, last);
        const { records, next, hasExpired } = await this.#reader.read(id, iterator);
        iterator = next;
        last = records.at(-1)?.sequence ?? last;
        this.#add(id, records);
        if (next === undefined && !hasExpired) return await this.#end(id);
        if (records.length === 0) await delay(POLL_MS, undefined, { signal });
      }
    } catch (error) {
      if (!signal.aborted) this.#fault ??= error;
    }
  }

  /** Behind the last record that was read, else where the mapping goes on or starts. */
  #iterator(shard: string, last: string | undefined): Promise<string> {
    const { mapping, checkpoints } = this.#options;
    const from = readFrom({
      start: mapping.settings.startingPosition,
      createdMs: this.#createdMs,
      checkpoint: last ?? checkpoints[shard],
      policies: DEFAULT_POLICIES,
    });
    return this.#reader.iterator(shard, from);
  }

  async #end(id: string): Promise<void> {
    this.#engine.endShard(id);
    await this.#discover();
  }

  #add(shard: string, records: readonly MappingRecord<string>[]): void {
    if (records.length === 0) return;
    this.#dropped += this.#engine.addRecords(shard, records);
    this.#read += records.length;
    this.#pump();
  }

  #pump(): void {
    clearTimeout(this.#timer);
    if (this.#paused || this.#options.signal.aborted) return;
    const { invocations, discards, rejected, wakeMs } = this.#engine.step(Date.now());
    this.#troubled += rejected.length;
    this.#invocations += rejected.length;
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
    const startedMs = Date.now();
    const outcome = await this.#call(payloadOf(batch.records));
    const newestArrivalMs = batch.records.at(-1)?.arrivalMs ?? startedMs;
    const call = { startedMs, endedMs: Date.now(), outcome: outcome.type, newestArrivalMs };
    this.#options.observer?.called(call);
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
      const outcome =
        answer.FunctionError === undefined ? this.#answered(text) : this.#failed(text);
      const requestId = answer.$metadata?.requestId;
      this.#ran.set(outcome, { requestId, version: answer.ExecutedVersion });
      return outcome;
    } catch (error) {
      this.#lastFailure =
        error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      return { type: error instanceof RequestTooLargeException ? 'rejected' : 'not-invoked' };
    }
  }

  #answered(text: string): Outcome {
    try {
      return { type: 'answered', answer: text === '' ? null : JSON.parse(text) };
    } catch {
      return this.#failed(`answered what is no JSON: ${text}`);
    }
  }

  #failed(said: string): Outcome {
    this.#lastFailure = said.slice(0, 500);
    return { type: 'failed' };
  }

  async #giveUp(discard: MappingDiscard<string>): Promise<void> {
    const { records, last } = discard.batch;
    this.#givenUp += records.length;
    this.#options.observer?.gaveUp(records.length);
    const { mapping, failures } = this.#options;
    const ran = last === undefined ? undefined : this.#ran.get(last.outcome);
    const { key, body } = failureDocument(discard, {
      mappingId: mapping.id,
      functionArn: mapping.functionArn,
      streamArn: mapping.streamArn,
      requestId: ran?.requestId ?? crypto.randomUUID(),
      executedVersion: ran?.version,
      nowMs: Date.now(),
      uuid: crypto.randomUUID(),
      payload: payloadOf(records),
    });
    await failures.put(key, Buffer.from(body), 'application/json', {
      deadlineMs: Date.now() + 60_000,
    });
  }
}

function payloadOf(records: readonly MappingRecord<string>[]): string {
  return `{"Records":[${records.map(({ payload }) => payload).join(',')}]}`;
}
