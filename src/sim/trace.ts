import { hashKeyOf, sipHash } from '../core/hash.ts';

const KEY = hashKeyOf(new TextEncoder().encode('millrace trace 1'));
const utf8 = new TextEncoder();

/** Lines that are kept to be shown. */
const LINES_KEPT = 200;

/** What happened in a simulation, line by line, with a hash over all of it. */
export class Trace {
  #high = 0;
  #low = 0;
  readonly #lines: string[] = [];

  /** Adds a line; nothing in it may depend on anything but the seed. */
  add(nowMs: number, text: string): void {
    const line = `${nowMs} ${text}`;
    const { high, low } = sipHash(KEY, utf8.encode(`${this.#high} ${this.#low} ${line}`));
    this.#high = high;
    this.#low = low;
    this.#lines.push(line);
    if (this.#lines.length > LINES_KEPT) this.#lines.shift();
  }

  /** Sixteen hexadecimal digits; equal for equal runs. */
  get hash(): string {
    return this.#high.toString(16).padStart(8, '0') + this.#low.toString(16).padStart(8, '0');
  }

  /** The last lines. */
  get tail(): readonly string[] {
    return this.#lines;
  }
}
