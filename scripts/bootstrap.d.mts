/** Types of bootstrap.mjs, which is plain JavaScript so that Node 20 runs it as it is. */

/** One part of the set-up. */
export interface Part {
  readonly name: string;
  /** Holds the hash of the lock files once the part is made. */
  readonly stamp: string;
  readonly locks: readonly string[];
  /** Without this file the part is not made, whatever the stamp says. */
  readonly needs: string;
  readonly make: () => Promise<void>;
}

export class MissingError extends Error {}
export function majorOf(version: string): number;
export function isPythonUsable(text: string): boolean;
export function explainPython(output: string): string;
export function explainNpm(output: string): string;
export function partsOf(root: string): readonly Part[];
export function isDone(part: Part): boolean;
export function bootstrap(): Promise<void>;
