import type { Program } from '../../core/program.ts';
import type { Random } from '../../ports/random.ts';
import type { EventMaker, FeedEvent } from './events.ts';
import type { TimedRow } from './timed-rows.ts';

/** How much of a feed is spoiled, in per cent of its events, 0 to 100. */
export interface SpoilShares {
  /** Broken in one of several ways. */
  readonly badPercent: number;
  /** Sent twice. */
  readonly duplicatePercent: number;
}

/** What the events of a run are made with. */
export interface SpoilOptions extends SpoilShares {
  readonly program: Program;
  readonly maker: EventMaker;
  /** When the run began, milliseconds since 1970 UTC. */
  readonly nowMs: number;
  /** Seeded: the same seed spoils the same events. */
  readonly random: Random;
}

/** How long before its own time a late event is, and after the run's start a future one, milliseconds. */
const LATE_MS = 30 * 86_400_000;
const FUTURE_MS = 2 * 86_400_000;

/** A repeat comes at most this many events after the first. */
const REPEAT_AFTER_MAX = 20;

type Way = (timed: TimedRow) => FeedEvent | undefined;

/**
 * The events of the rows in their order, some of them broken in various ways or sent twice. Every
 * broken one takes the place of a good one.
 */
export function* spoiledEvents(
  rows: readonly TimedRow[],
  options: SpoilOptions,
): Generator<FeedEvent> {
  const { maker, random, badPercent, duplicatePercent } = options;
  const spoiler = new Spoiler(options);
  let repeats: { readonly at: number; readonly event: FeedEvent }[] = [];
  for (const [number, timed] of rows.entries()) {
    const event = random.next() * 100 < badPercent ? spoiler.spoil(timed) : maker.make(timed);
    yield event;
    spoiler.note(event, timed);
    if (random.next() * 100 < duplicatePercent) {
      repeats.push({ at: number + 1 + Math.floor(random.next() * REPEAT_AFTER_MAX), event });
    }
    const due = repeats.filter(({ at }) => at <= number);
    if (due.length > 0) repeats = repeats.filter(({ at }) => at > number);
    for (const repeat of due) yield repeat.event;
  }
  for (const repeat of repeats) yield repeat.event;
}

class Spoiler {
  readonly #options: SpoilOptions;
  /** The row of the last good event by partition. */
  readonly #good = new Map<number | undefined, TimedRow>();
  #lastWasGood = true;

  constructor(options: SpoilOptions) {
    this.#options = options;
  }

  spoil(timed: TimedRow): FeedEvent {
    this.#lastWasGood = false;
    const ways: Way[] = [
      this.#truncated,
      this.#withoutId,
      this.#outOfSchema,
      this.#inTheFuture,
      this.#late,
      this.#sameId,
    ];
    while (ways.length > 0) {
      const [way] = ways.splice(Math.floor(this.#options.random.next() * ways.length), 1);
      const event = way?.(timed);
      if (event !== undefined) return event;
    }
    return this.#truncated(timed);
  }

  note(event: FeedEvent, timed: TimedRow): void {
    if (this.#lastWasGood) this.#good.set(event.partition, timed);
    this.#lastWasGood = true;
  }

  readonly #truncated = (timed: TimedRow): FeedEvent => {
    const event = this.#options.maker.make(timed);
    return { ...event, bytes: event.bytes.subarray(0, Math.floor(event.bytes.length / 2)) };
  };

  readonly #withoutId: Way = (timed) =>
    this.#options.program.format === 'cloudevents'
      ? this.#options.maker.make(timed, { id: null })
      : undefined;

  /** Some field left out or of another kind, if the schema minds. */
  readonly #outOfSchema: Way = (timed) => {
    const { maker, program, random } = this.#options;
    const data = Object(maker.dataOf(timed));
    const names = Object.keys(data);
    const name = names[Math.floor(random.next() * names.length)] ?? '';
    const { [name]: _left, ...without } = data;
    const broken = random.next() < 0.5 ? without : { ...data, [name]: { broken: true } };
    return program.validate(broken).ok ? undefined : maker.make(timed, { data: broken });
  };

  readonly #inTheFuture: Way = (timed) => this.#moved(timed, this.#options.nowMs + FUTURE_MS);

  readonly #late: Way = (timed) => {
    const { partition } = this.#options.maker.make(timed);
    return this.#good.has(partition) ? this.#moved(timed, timed.timeMs - LATE_MS) : undefined;
  };

  /** The id of another event of the same partition. */
  readonly #sameId: Way = (timed) => {
    const { maker } = this.#options;
    const { partition } = maker.make(timed);
    const other = this.#good.get(partition);
    if (other === undefined || !maker.hasIds) return undefined;
    return maker.make(
      { ...timed, row: other.row, index: other.index },
      { data: maker.dataOf(timed) },
    );
  };

  #moved(timed: TimedRow, timeMs: number): FeedEvent {
    const { maker } = this.#options;
    return maker.make(timed, { data: maker.dataOf(timed, timeMs) });
  }
}
