import type { Mutant } from './mutants.ts';
import type { Outcome } from './try.ts';

/** A mutant that can't be told from the original, and why. */
export interface Excuse {
  readonly file: string;
  /** As the mutant has it. */
  readonly place: string;
  readonly to: string;
  readonly reason: string;
}

/** How many mutants of a file, or of all, came to what. */
export interface Score {
  readonly tried: number;
  readonly killed: number;
  /** Of the killed ones: no whole simulation told, a scene did. */
  readonly scene: number;
  readonly timeout: number;
  readonly excused: number;
  readonly survived: number;
}

/** The excuse of a mutant, or undefined. */
export function excuseOf(mutant: Mutant, excuses: readonly Excuse[]): Excuse | undefined {
  return excuses.find(
    ({ file, place, to }) => file === mutant.file && place === mutant.place && to === mutant.to,
  );
}

/** Excuses whose place is gone or was changed: to be looked at again, or left out. */
export function staleIn(excuses: readonly Excuse[], mutants: readonly Mutant[]): readonly Excuse[] {
  return excuses.filter((excuse) => !mutants.some((mutant) => excuseOf(mutant, [excuse])));
}

/** True for what no run told. */
export function isAlive({ state }: Outcome): boolean {
  return state === 'survived' || state === 'unreached';
}

/** Counts outcomes. An excused mutant that was killed all the same counts as killed. */
export function scoreOf(outcomes: readonly Outcome[], excuses: readonly Excuse[]): Score {
  const alive = outcomes.filter(isAlive);
  const excused = alive.filter(({ mutant }) => excuseOf(mutant, excuses) !== undefined).length;
  const timeout = outcomes.filter(({ state }) => state === 'timeout').length;
  return {
    tried: outcomes.length,
    killed: outcomes.length - alive.length,
    scene: outcomes.filter(({ byScene }) => byScene).length,
    timeout,
    excused,
    survived: alive.length - excused,
  };
}

/** The share of the mutants that are killed, excused ones left out, in percent; 100 where there are none. */
export function percentOf({ killed, survived }: Score): number {
  return shareOf(killed, killed + survived);
}

/** A part in percent; 100 of nothing. */
export function shareOf(part: number, whole: number): number {
  return whole === 0 ? 100 : (100 * part) / whole;
}
