import { InvariantError } from '../core/errors.ts';

/** Lengths in the same unit as the times that are given. */
export interface SuppressionPeriods {
  readonly wait: number;
  readonly extension: number;
}

/**
 * Decides when a composite alarm with a suppressor takes its actions.
 * docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Create_Composite_Alarm_Suppression.html
 *
 * Invariants
 * 1. Times never fall.
 * 2. At most one period is active: waiting for the suppressor to go on after the composite alarm
 *    changed, or for the composite alarm to go off after the suppressor did.
 * 3. Actions are only due after a change of the composite alarm that none was taken for.
 */
export class Suppression {
  readonly #periods: SuppressionPeriods;
  #suppressed = false;
  #until: number | undefined;
  #due = false;
  #now = Number.NEGATIVE_INFINITY;

  constructor(periods: SuppressionPeriods) {
    this.#periods = periods;
  }

  /** True while actions wait for a period to end. */
  get isWaiting(): boolean {
    return this.#due && !this.#suppressed;
  }

  /** The suppressor is on or off now; says so again is no change. */
  suppressor(isOn: boolean, now: number): void {
    this.#move(now);
    if (isOn === this.#suppressed) return;
    this.#suppressed = isOn;
    this.#until = isOn ? undefined : now + this.#periods.extension;
  }

  /** The composite alarm changed its state. */
  changed(now: number): void {
    this.#move(now);
    this.#due = true;
    if (!this.#suppressed) this.#until = now + this.#periods.wait;
  }

  /** True once, when the actions for the present state are to be taken. */
  takesActions(now: number): boolean {
    this.#move(now);
    if (this.#suppressed || (this.#until !== undefined && now < this.#until)) return false;
    this.#until = undefined;
    const due = this.#due;
    this.#due = false;
    return due;
  }

  #move(now: number): void {
    if (now < this.#now)
      throw new InvariantError(
        `suppression: got ${now} after ${this.#now}, expected times that never fall`,
      );
    this.#now = now;
  }
}
