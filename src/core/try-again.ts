import { type HashKey, hashKeyOf } from './hash.ts';
import type { FoldedId } from './id-table.ts';
import { Planner } from './plan.ts';
import { decodePosition } from './position.ts';
import type { Program } from './program.ts';
import type { QuarantineDocument } from './quarantine.ts';
import type { Rejection } from './rejection.ts';

/** What a pipeline would make of a refused event now. */
export type Verdict =
  | {
      readonly type: 'passes';
      /** Undefined where the event has no id. */
      readonly id: FoldedId | undefined;
    }
  | { readonly type: 'refused'; readonly rejection: Rejection };

/** For whom compares ids with nothing: then the key need not be secret. */
const KEY = hashKeyOf(new TextEncoder().encode('millrace trial 1'));

/**
 * Decides on a refused event as if it came alone, with its original arrival: whether it decodes, fits the
 * schema, transforms and can be stored. Lateness, repeats and deaths of the function depend on what came
 * before it, and are left out.
 *
 * @param idKey default: one of its own
 */
export function tryAgain(
  program: Program,
  document: QuarantineDocument,
  idKey: HashKey = KEY,
): Verdict {
  const planner = new Planner({
    program,
    writer: document.writer,
    idKey,
    state: { watermarkMs: undefined, find: () => undefined, covers: () => true },
  });
  planner.decide({
    position: decodePosition(document.position),
    arrivalMs: Date.parse(document.arrival),
    bytes: Buffer.from(document.bytes, 'base64'),
  });
  const [decision] = planner.decisions;
  if (decision?.type === 'rejected') return { type: 'refused', rejection: decision.rejection };
  return { type: 'passes', id: decision?.type === 'accepted' ? decision.id : undefined };
}
