import type { Random } from '../ports/random.ts';
import type { VirtualClock } from './clock.ts';
import type { Dice } from './dice.ts';
import { HOT_SHARD_MS, LATE_MS, SHARDS_MAX } from './faults.ts';
import { below } from './randoms.ts';
import type { SimEvent, SimRecord, SimShard, SimStream } from './stream.ts';
import type { Trace } from './trace.ts';
import type { Weather } from './weather.ts';

/** What a producer sends, and where. */
export interface ProducerOptions {
  readonly events: readonly SimEvent[];
  readonly stream: SimStream;
  readonly clock: VirtualClock;
  readonly dice: Dice;
  readonly random: Random;
  readonly weather: Weather;
  readonly trace: Trace;
  /** Told when something was put. */
  readonly onPut: () => void;
  /** Told of the shards that a split or merge made. */
  readonly onShard: (shard: SimShard) => void;
}

/** First and longest pause after a refusal, milliseconds. */
const PAUSE_MS = { first: 100, max: 5_000 } as const;
const RECORDS_PER_REQUEST = 500;
const LATENCY_MS = 30;

interface Queue {
  readonly events: SimEvent[];
  retryMs: number;
  pauseMs: number;
}

/**
 * A producer that calls PutRecords and keeps the order of each partition key: a request has at most one
 * record of a key, and the next is sent when the stream acknowledged it. What was refused, or not
 * answered, is sent again, so that a record may stand in the stream twice.
 * https://docs.aws.amazon.com/streams/latest/dev/developing-producers-with-sdk.html
 */
export class Producer {
  readonly #options: ProducerOptions;
  readonly #queues = new Map<string, Queue>();
  #delayMs = 0;
  #left: number;
  /** Answers that are still to come of requests that seemed lost. */
  #late = 0;

  constructor(options: ProducerOptions) {
    this.#options = options;
    this.#left = options.events.length;
    for (const event of options.events) {
      const queue = this.#queues.get(event.partitionKey) ?? { events: [], retryMs: 0, pauseMs: 0 };
      queue.events.push(event);
      this.#queues.set(event.partitionKey, queue);
    }
  }

  /** True when everything was acknowledged, and nothing is on its way. */
  get isDone(): boolean {
    return this.#left === 0 && this.#late === 0;
  }

  /** When the last event is due, milliseconds since 1970 UTC. */
  get endMs(): number {
    return (this.#options.events.at(-1)?.atMs ?? 0) + this.#delayMs;
  }

  /** Events that come after now come so much later, as in a world that stands still. */
  delay(ms: number): void {
    this.#delayMs += ms;
  }

  /** Sends everything; settles when all of it was acknowledged. */
  async run(): Promise<void> {
    const { clock } = this.#options;
    while (this.#left > 0) {
      await clock.sleep(Math.max(0, this.#nextMs() - clock.now()));
      // Another delay may have come meanwhile.
      if (this.#nextMs() > clock.now()) continue;
      await this.#request(this.#due());
    }
  }

  #nextMs(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const queue of this.#queues.values()) next = Math.min(next, this.#dueMs(queue));
    return next;
  }

  #dueMs({ events, retryMs }: Queue): number {
    const [first] = events;
    return first === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(first.atMs + this.#delayMs, retryMs);
  }

  #due(): readonly Queue[] {
    const nowMs = this.#options.clock.now();
    const due = [...this.#queues.values()].filter((queue) => this.#dueMs(queue) <= nowMs);
    return due.slice(0, RECORDS_PER_REQUEST);
  }

  async #request(queues: readonly Queue[]): Promise<void> {
    const { clock, dice, weather, random } = this.#options;
    this.#changeShards();
    await clock.sleep(1 + below(random, LATENCY_MS));
    const refused = weather.refuses(clock.now(), 'stream', true);
    const isLost = dice.strikes('sendTwice');
    if (refused === undefined && isLost && random.next() < 0.5) {
      this.#putLate(queues);
    } else if (refused === undefined) {
      const isPartial = dice.strikes('refusePut');
      for (const queue of queues) {
        const taken = isPartial && random.next() < 0.5 ? undefined : this.#put(queue.events[0]);
        if (taken !== undefined && !isLost) this.#acknowledge(queue);
        else this.#tryLater(queue);
      }
      return;
    }
    for (const queue of queues) this.#tryLater(queue);
  }

  #acknowledge(queue: Queue): void {
    queue.events.shift();
    queue.pauseMs = 0;
    this.#left -= 1;
  }

  #tryLater(queue: Queue): void {
    queue.pauseMs = Math.min(PAUSE_MS.max, Math.max(PAUSE_MS.first, queue.pauseMs * 2));
    queue.retryMs = this.#options.clock.now() + queue.pauseMs;
  }

  /** The request is on its way for long, and the producer does not wait for it. */
  #putLate(queues: readonly Queue[]): void {
    const { clock, dice } = this.#options;
    const events = queues.map(({ events: [first] }) => first);
    this.#late += 1;
    clock.at(clock.now() + dice.upTo(LATE_MS), () => {
      this.#late -= 1;
      for (const event of events) this.#put(event);
    });
  }

  #put(event: SimEvent | undefined): SimRecord | undefined {
    const { stream, clock, trace } = this.#options;
    if (event === undefined) return undefined;
    const record = stream.put(event, clock.now());
    this.#options.onPut();
    const text =
      record === undefined
        ? `${event.partitionKey}: not taken`
        : `${event.partitionKey}: taken as ${record.shard}:${record.sequence}`;
    trace.add(clock.now(), 'producer', text, () =>
      record === undefined ? {} : { shards: [String(record.shard)] },
    );
    return record;
  }

  #changeShards(): void {
    const { dice, stream, clock } = this.#options;
    if (!stream.exists) return;
    if (dice.strikes('hotShard')) stream.slowDown(clock.now(), dice.upTo(HOT_SHARD_MS));
    if (dice.strikes('reshard')) this.#reshard();
  }

  #reshard(): void {
    const { stream, random, dice, trace, clock, onShard } = this.#options;
    const { open } = stream;
    const shard = open[below(random, open.length)];
    if (shard === undefined) return;
    const splits = open.length === 1 || (open.length < SHARDS_MAX && random.next() < 0.5);
    const children = splits ? stream.split(shard) : stream.merge(shard);
    if (children.length === 0) return;
    const what = splits ? 'split' : 'merge';
    dice.count(what);
    const into = children.map(({ number }) => number).join(' and ');
    trace.add(clock.now(), 'stream', `${what} of shard ${shard.number} into ${into}`, () => ({
      shards: [shard.number, ...children.map(({ number }) => number)].map(String),
    }));
    for (const child of children) onShard(child);
  }
}
