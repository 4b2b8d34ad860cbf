import { InvariantError } from '../core/errors.ts';
import type { Program } from '../core/program.ts';
import { decodePart, type PlanPart, planPartKey, REDRIVE_FORMAT } from '../core/redrive.ts';
import type { PlannedEvent } from './plan-redrive.ts';
import type { ConsumePorts } from './ports.ts';
import { type RetryContext, retryCall } from './retry.ts';

/** A part is folded at once: so many events, and about so many bytes of them, at most. */
const PART_EVENTS_MAX = 500;
const PART_BYTES_MAX = 4 * 1024 * 1024;

const DAY_MS = 86_400_000;

/** Whose parts they are. */
export interface PartsPlace {
  /** What stands for the pipeline in the names of objects. */
  readonly folder: string;
  /** Number of the job. */
  readonly number: number;
}

/** What stands for a pipeline in the names of its objects: of a rebuilt generation another one. */
export function folderOf(
  { quarantineFolder }: Pick<ConsumePorts, 'quarantineFolder'>,
  { name }: Program,
): string {
  return quarantineFolder ?? name;
}

/** Writes the events of a plan, under a name that no other try has. Nothing counts until the plan is stored. @throws TransientError */
export async function storeParts(
  { quarantine, random }: Pick<ConsumePorts, 'quarantine' | 'random'>,
  { folder, number }: PartsPlace,
  { events, context }: { readonly events: readonly PlannedEvent[]; readonly context: RetryContext },
): Promise<{ readonly token: string; readonly parts: number }> {
  const token = Buffer.from(random.bytes(8)).toString('hex');
  const parts = cut(events);
  let before = 0;
  for (const [index, some] of parts.entries()) {
    const part: PlanPart = { v: REDRIVE_FORMAT, before, events: some.map(lineOf) };
    const body = new TextEncoder().encode(JSON.stringify(part));
    const key = planPartKey(folder, { number, token }, index);
    await retryCall(context, () => quarantine.put(key, body, 'application/json', context));
    before += some.length;
  }
  return { token, parts: parts.length };
}

/** @throws TransientError, InvariantError when it is gone */
export async function readPart(
  { quarantine }: Pick<ConsumePorts, 'quarantine'>,
  { folder, number, token, part }: PartsPlace & { readonly token: string; readonly part: number },
  context: RetryContext,
): Promise<PlanPart> {
  const key = planPartKey(folder, { number, token }, part);
  const body = await retryCall(context, () => quarantine.get(key, context));
  if (body !== undefined) return decodePart(body);
  throw new InvariantError(
    `redrive: got no object ${key}, expected a part of job ${number}; the quarantine's retention is over`,
  );
}

function lineOf({ document, id }: PlannedEvent): PlanPart['events'][number] {
  return id === undefined ? { document } : { document, id: { high: id.high, low: id.low } };
}

/** Of one day each: what is refused once more stands in the quarantine under the day of the first. */
function cut(events: readonly PlannedEvent[]): readonly PlannedEvent[][] {
  const parts: PlannedEvent[][] = [];
  let bytes = 0;
  let day = Number.NaN;
  for (const event of events) {
    const last = parts.at(-1);
    const size = event.document.bytes.length;
    const dayOf = Math.floor(event.arrivalMs / DAY_MS);
    const isFull = (last?.length ?? PART_EVENTS_MAX) >= PART_EVENTS_MAX;
    if (isFull || bytes + size > PART_BYTES_MAX || dayOf !== day) {
      parts.push([]);
      bytes = 0;
      day = dayOf;
    }
    parts.at(-1)?.push(event);
    bytes += size;
  }
  return parts;
}
