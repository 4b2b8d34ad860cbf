import { DEATHS_TO_QUARANTINE } from '../core/attempt.ts';
import type { MappingDiscard } from '../mapping/engine.ts';
import { failureDocument } from '../mapping/failure-document.ts';
import type { Run } from './container.ts';
import type { Invoked } from './lambda.ts';
import type { SimRun } from './schedule.ts';
import type { SimPayload } from './shard-reader.ts';
import type { SimRecord, SimUnit } from './stream.ts';
import { type SimWorld, STREAM_ARN } from './world.ts';

/** What an observer looks at. */
export interface ObserverOptions {
  readonly world: SimWorld;
  readonly now: () => number;
  /** Events that the ledger says are done. */
  readonly done: ReadonlySet<SimUnit>;
  /** From when on nothing goes wrong any more, and nothing that went wrong can still show. */
  readonly quietMs: () => number;
  readonly keepsRuns: boolean;
  readonly onViolation: (text: string) => void;
}

/** Notes what the function's runs and the mapping did, for the checks at the end; one of them it makes at once. */
export class Observer {
  readonly #options: ObserverOptions;
  /** Events of a run that were not done when it began. */
  readonly #openAtStart = new WeakMap<Run, number>();
  /** Records that a run was given. */
  readonly delivered = new Set<SimRecord>();
  /** How many runs each record was in that failed, up to as many as matter. */
  readonly failedRuns = new Map<SimRecord, number>();
  readonly discards: MappingDiscard<SimPayload>[] = [];
  /** Each run, for the timeline. */
  readonly runs: SimRun[] = [];
  /** Most cells that a container kept after an invocation. */
  heldCells = 0;

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  /** A run is about to begin. */
  readonly onRun = (run: Run): void => {
    for (const record of run.records) this.delivered.add(record);
    this.#openAtStart.set(run, this.#openUnits(run));
  };

  /** A run came to its end, or was ended. */
  readonly onInvoked = (invoked: Invoked): void => {
    const { keepsRuns, now } = this.#options;
    const { run, report, outcome } = invoked;
    if (keepsRuns) this.runs.push({ ...invoked, ...run, endMs: now() });
    if (report !== undefined) this.heldCells = Math.max(this.heldCells, report.held.cells);
    if (outcome.type === 'failed') this.#countFailed(run);
    this.#checkProgress(invoked);
  };

  /** The mapping gives records up: it writes them to the failure destination. */
  readonly onGivenUp = (discard: MappingDiscard<SimPayload>): void => {
    const { world, now } = this.#options;
    this.discards.push(discard);
    const { key, body } = failureDocument(discard, {
      mappingId: 'simulated',
      functionArn: 'arn:aws:lambda:eu-west-1:111122223333:function:simulated',
      streamArn: STREAM_ARN,
      requestId: `give-up-${this.discards.length}`,
      nowMs: now(),
      uuid: `${this.discards.length}`,
      payload: JSON.stringify({
        Records: discard.batch.records.map(({ payload }) => payload.event),
      }),
    });
    world.failures.put(key, Buffer.from(body), 'application/json', { deadlineMs: 0 });
  };

  /** Nobody is blocked: once nothing goes wrong, every run finishes something. */
  #checkProgress({ run, outcome, killed }: Invoked): void {
    const { now, quietMs, onViolation } = this.#options;
    if (now() < quietMs() || killed || isWhole(outcome)) return;
    // Events, not records: of an aggregate some may be finished, and the mapping hears nothing of that.
    if (this.#openUnits(run) < (this.#openAtStart.get(run) ?? 0)) return;
    onViolation(`${run.id}: came to nothing, although nothing goes wrong any more`);
  }

  #openUnits({ records }: Run): number {
    const units = records.flatMap((record) => record.units);
    return units.filter((unit) => !this.#options.done.has(unit)).length;
  }

  #countFailed({ records }: Run): void {
    for (const record of records) {
      const failed = this.failedRuns.get(record) ?? 0;
      if (failed < DEATHS_TO_QUARANTINE) this.failedRuns.set(record, failed + 1);
    }
  }
}

/** True when the run finished everything. */
function isWhole(outcome: Invoked['outcome']): boolean {
  if (outcome.type !== 'answered') return false;
  const failures: unknown = Reflect.get(Object(outcome.answer), 'batchItemFailures');
  return !Array.isArray(failures) || failures.length === 0;
}
