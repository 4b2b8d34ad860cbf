import { type Hash64, type HashKey, murmur3, sipHashText } from './hash.ts';
import { type FoldedId, IdTable } from './id-table.ts';
import { isDerivedBy, repeatsSinceMs } from './origin.ts';
import type { ProgramSettings } from './program.ts';
import { refuse } from './rejection.ts';

/** What is known of the writer before the records. */
export interface WriterState {
  /** Highest event time accepted, or undefined before the first. */
  readonly watermarkMs: number | undefined;
  /** The id's last folding, as far back as it is known. */
  find(id: Hash64): FoldedId | undefined;
  /** Whether `find` would know it if the id had been folded with an arrival from that time on. */
  covers(id: Hash64, sinceMs: number): boolean;
}

/** An id of which the state can't tell whether it was folded from a time on. */
export interface UnknownId {
  readonly id: Hash64;
  /** Milliseconds since 1970 UTC. */
  readonly sinceMs: number;
}

/** What names an event. */
export interface EventIdentity {
  readonly source: string;
  readonly id: string | undefined;
  /** `eventName` of source and id, where there is an id. */
  readonly name: string;
  /** What the event says of its origin, with its data as it was parsed; believed of the pipelines that feed this one. */
  readonly derived: { readonly originMs: number; readonly data: unknown } | undefined;
}

/** A record, as far as its identity goes. */
interface Arrived {
  readonly arrivalMs: number;
  readonly bytes: Uint8Array;
}

const utf8 = new TextEncoder();

/** What an event with an id is called. */
export function eventName(source: string, id: string): string {
  return `${source} ${id}`;
}

/**
 * Tells repeats from new events.
 *
 * Invariant: what it says depends on the ids folded before the record and on the record alone. Where the
 * state doesn't reach back far enough for that, the id goes into `unknown`, and nothing that was said
 * counts: it has to be asked again with a state that covers those ids.
 */
export class Identifier {
  readonly #settings: ProgramSettings;
  readonly #key: HashKey;
  readonly #state: WriterState;
  readonly #fresh = new IdTable();
  readonly unknown: UnknownId[] = [];

  constructor(settings: ProgramSettings, key: HashKey, state: WriterState) {
    this.#settings = settings;
    this.#key = key;
    this.#state = state;
  }

  /** The id to remember, undefined where there is none, or that it is a repeat. @throws Refusal id-conflict */
  identify(event: EventIdentity, record: Arrived): FoldedId | undefined | 'duplicate' {
    if (event.id === undefined || !this.#settings.deduplicates) return undefined;
    const { arrivalMs } = record;
    const hash = sipHashText(this.#key, event.name);
    const { fedBy } = this.#settings;
    const derived = isDerivedBy(fedBy, event.source) ? event.derived : undefined;
    const originMs = derived?.originMs;
    const sinceMs = repeatsSinceMs(this.#settings, { arrivalMs, originMs });
    const check = checkOf(
      derived === undefined ? record.bytes : utf8.encode(JSON.stringify(derived.data)),
    );
    const seen = this.#fresh.find(hash) ?? this.#state.find(hash);
    if (seen === undefined && !this.#state.covers(hash, sinceMs)) {
      this.unknown.push({ id: hash, sinceMs });
    }
    if (seen === undefined || seen.arrivalMs < sinceMs) {
      return { high: hash.high, low: hash.low, check, arrivalMs };
    }
    if (seen.check === check) return 'duplicate';
    throw refuse('id-conflict', 'deduplicate', {
      path: 'id',
      message: `got other bytes than the event of this id that was counted at ${new Date(seen.arrivalMs).toISOString()}, expected a new id for a new event`,
    });
  }

  /** Remembers the id of an event that was accepted. */
  remember(id: FoldedId): void {
    this.#fresh.add(id);
  }
}

/**
 * 24 bits over what must be equal in a repeat: the bytes; of a derived event only the data, because its
 * origin is another one when the event that it was made of was sent twice.
 */
function checkOf(bytes: Uint8Array): number {
  return murmur3(bytes) >>> 8;
}
