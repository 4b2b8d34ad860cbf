import { decodeEntry, ENTRIES } from '../core/ledger.ts';
import { comparePositions, encodePosition, isAfter, type Position } from '../core/position.ts';
import type { ProgramSettings } from '../core/program.ts';
import { printOfEntry } from '../core/version.ts';
import type { Item } from '../ports/table.ts';
import type { Run } from './container.ts';
import type { Written } from './container-table.ts';
import { storedCells } from './stored-items.ts';
import type { SimUnit } from './stream.ts';

/**
 * Looks at every write while the simulation runs.
 *
 * Ledger: chains grow by one and forward, a marker moves nothing, another version goes on after one only, an entry lives as long as a repeat can
 * come, and it covers only records that its run was given. Cells move forward, and live as long as
 * something can still be folded into them.
 */
export class Watch {
  readonly #settings: ProgramSettings;
  readonly #now: () => number;
  readonly #writerOf: (unit: SimUnit) => string;
  readonly #heads = new Map<string, Tail>();
  readonly #cells = new Map<string, Position>();
  readonly violations: string[] = [];
  /** Events that an entry of a run covers which was given them: from then on they are done. */
  readonly done = new Set<SimUnit>();

  /** @param writerOf the writer of an event, with its epoch */
  constructor(settings: ProgramSettings, now: () => number, writerOf: (unit: SimUnit) => string) {
    this.#settings = settings;
    this.#now = now;
    this.#writerOf = writerOf;
  }

  readonly onWritten = ({ table, item, run }: Written): void => {
    if (table === 'aggregates') this.#onCells(item);
    else if (table === 'ledger' && item.sk.startsWith(ENTRIES)) this.#onEntry(item, run);
  };

  #onEntry(item: Item, run: Run | undefined): void {
    const { n, position, writer, ttlSeconds, highArrivalMs, fingerprint } = decodeEntry(item);
    const head = this.#heads.get(writer) ?? { n: 0, position: undefined, print: undefined };
    const say = (text: string) => this.violations.push(`ledger of ${writer}: entry ${n} ${text}`);
    if (n !== head.n + 1) say(`comes after ${head.n}`);
    const { horizonMs, retention } = this.#settings;
    if (ttlSeconds * 1000 < Math.max(highArrivalMs, this.#now()) + horizonMs + retention.streamMs) {
      say('expires while a repeat can still come');
    }
    // A marker for a writer on which no version has decided names none.
    const print = printOfEntry(fingerprint) || head.print;
    this.#heads.set(writer, { n, position, print });
    if (
      position === undefined ||
      (head.position && comparePositions(position, head.position) < 0)
    ) {
      if (head.position !== undefined) say('goes back');
      return;
    }
    const covered = this.#covered(writer, head.position, position, run);
    const moves = head.position === undefined || isAfter(position, head.position);
    if (moves && covered.length === 0) say('covers nothing that its run was given');
    if (moves && head.print !== undefined && head.print !== print) {
      say('goes on with another version without a switch marker');
    }
    for (const unit of covered) this.done.add(unit);
  }

  #covered(
    writer: string,
    after: Position | undefined,
    through: Position,
    run: Run | undefined,
  ): readonly SimUnit[] {
    const units = run?.records.flatMap((record) => record.units) ?? [];
    return units.filter((unit) => {
      const position = positionOf(unit);
      const within = isAfter(position, after) && !isAfter(position, through);
      return within && this.#writerOf(unit) === writer;
    });
  }

  #onCells(item: Item): void {
    for (const { name, position, ttlMs } of storedCells(item)) {
      const before = this.#cells.get(name);
      if (before !== undefined && comparePositions(position, before) <= 0) {
        this.violations.push(`cell ${name}: goes back to ${encodePosition(position)}`);
      }
      const { horizonMs, retention } = this.#settings;
      const needed = this.#now() + horizonMs + retention.streamMs;
      if (ttlMs < needed) this.violations.push(`cell ${name}: expires while it is needed`);
      this.#cells.set(name, position);
    }
  }
}

/** The newest entry of a writer. */
interface Tail {
  readonly n: number;
  readonly position: Position | undefined;
  /** Of the version in force after it; undefined before the first. */
  readonly print: string | undefined;
}

/** The position of an event in its writer. */
export function positionOf({ record: { shard, sequence }, index }: SimUnit): Position {
  return { shard, sequence, index };
}
