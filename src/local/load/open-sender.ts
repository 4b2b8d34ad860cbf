import { setTimeout as delay } from 'node:timers/promises';
import { shardNumber, withoutLeadingZeros } from '../../core/position.ts';
import { partitionWriter, shardWriter } from '../../core/writer.ts';
import type { Outlet } from '../../ports/outlet.ts';
import type { FeedEvent } from '../feed/events.ts';
import { keysOf } from '../producer.ts';
import type { Arrivals } from './arrivals.ts';
import type { SentEvent } from './results-watch.ts';

/** What is sent where. */
export interface OpenSenderOptions {
  readonly arrivals: Arrivals;
  readonly outlet: Outlet;
  /** Makes the next event. */
  readonly event: (nowMs: number) => FeedEvent | undefined;
  readonly partitions: number | 'shard';
  readonly epoch: string;
  readonly signal: AbortSignal;
  /** When sending ends, whatever is left; milliseconds since 1970 UTC. */
  readonly giveUpMs: number;
  readonly onTaken: (event: SentEvent, takenMs: number) => void;
}

/** What was sent. */
export interface Sent {
  readonly offered: number;
  readonly taken: number;
  /** Records that were refused; each was sent again, while there was time. */
  readonly refused: number;
}

/** An event that is due. */
interface Due {
  readonly dueMs: number;
  /** Made when it is first sent; the same bytes in each try. */
  event: FeedEvent | undefined;
}

const RECORDS_PER_REQUEST = 500;

/** Requests on their way at once, at most. */
const REQUESTS_MAX = 32;

/** Between two looks at what is due, milliseconds. */
const TICK_MS = 10;

/** Pause after a refusal, milliseconds. */
const PAUSE_MS = 100;

/** Longest wait for an answer, milliseconds. */
const ANSWER_MS = 10_000;

/**
 * Sends what is due in requests side by side: how long answers take holds up nothing until 32 requests are
 * on their way, and then what waits goes on ageing from when it was due.
 */
export class OpenSender {
  readonly #options: OpenSenderOptions;
  readonly #queue: Due[] = [];
  readonly #requests = new Set<Promise<void>>();
  #pausedUntilMs = 0;
  #offered = 0;
  #taken = 0;
  #refused = 0;

  constructor(options: OpenSenderOptions) {
    this.#options = options;
  }

  get sent(): Sent {
    return { offered: this.#offered, taken: this.#taken, refused: this.#refused };
  }

  /** Resolves when everything is taken, or the time is over. @throws the signal's reason */
  async run(): Promise<Sent> {
    const { arrivals, signal, giveUpMs } = this.#options;
    while (Date.now() < giveUpMs) {
      signal.throwIfAborted();
      const due = arrivals.due(Date.now());
      this.#offered += due.length;
      this.#queue.push(...due.map((dueMs) => ({ dueMs, event: undefined })));
      this.#start();
      const idle = this.#queue.length === 0 && this.#requests.size === 0;
      if (idle && !arrivals.isOpen) break;
      await delay(TICK_MS, undefined, { signal });
    }
    await Promise.all(this.#requests);
    return this.sent;
  }

  #start(): void {
    while (
      this.#queue.length > 0 &&
      this.#requests.size < REQUESTS_MAX &&
      Date.now() >= this.#pausedUntilMs
    ) {
      const request = this.#send(this.#queue.splice(0, RECORDS_PER_REQUEST));
      this.#requests.add(request);
      request.finally(() => this.#requests.delete(request));
    }
  }

  /** Never rejects: an outlet answers for each record. */
  async #send(due: readonly Due[]): Promise<void> {
    const { outlet, partitions, epoch, event, onTaken } = this.#options;
    const nowMs = Date.now();
    const records = due.flatMap((one) => {
      one.event ??= event(nowMs);
      return one.event === undefined ? [] : [{ due: one, event: one.event }];
    });
    const results = await outlet.send(
      records.map(({ event }) => ({ bytes: event.bytes, ...keysOf(event, partitions) })),
      { deadlineMs: nowMs + ANSWER_MS },
    );
    const takenMs = Date.now();
    for (const [index, { due: one, event: sent }] of records.entries()) {
      const result = results[index];
      if (result?.status !== 'taken') {
        this.#refused += 1;
        this.#queue.push(one);
        this.#pausedUntilMs = takenMs + PAUSE_MS;
        continue;
      }
      this.#taken += 1;
      const shard = shardNumber(result.shard);
      const writer =
        sent.partition === undefined || partitions === 'shard'
          ? shardWriter(epoch, shard)
          : partitionWriter(epoch, sent.partition);
      const position = { shard, sequence: withoutLeadingZeros(result.sequence), index: 0 };
      onTaken({ writer, position, dueMs: one.dueMs }, takenMs);
    }
  }
}
