import { compile } from '../../../src/core/compile.ts';
import type { ConsumePorts } from '../../../src/handlers/ports.ts';
import type { Item } from '../../../src/ports/table.ts';
import { NO_FAULTS } from '../../../src/sim/faults.ts';
import { PLAIN_POLICIES } from '../../../src/sim/policies.ts';
import { simEvents } from '../../helpers/sim-records.ts';
import { smallOptions } from '../../helpers/simulate-small.ts';
import { smallPipeline } from '../../helpers/small-pipeline.ts';
import { NOON_MS } from '../../helpers/world.ts';
import { itemsOf, nameOf, observe, type Request, requestsOf, type Where } from './observe.ts';
import type { Schedule } from './schedule.ts';
import { differs, outside } from './stored/facts.ts';

const program = compile(smallPipeline);
const LOSSES = [1, 2, 19, 20, 30] as const;
const LOSSES_MAX = 20;

/**
 * Somebody is first each time that a writer appends to its ledger: markers, as the keeper writes them. A
 * try goes on after them, counts them as conflicts, and leaves it to the next one after twenty.
 */
export const OVERTAKEN: Schedule = {
  name: 'overtaken',
  seeds: 2 * LOSSES.length,
  run: async (seed) => {
    const losses = LOSSES[seed % LOSSES.length] ?? 1;
    // The second run has a chain to go on from.
    const target = seed > LOSSES.length ? 1 : 0;
    const observed = await observe(
      {
        ...smallOptions(seed, {
          events: [0, 60_000].flatMap((afterMs) => batchAt(seed, afterMs)),
          faults: NO_FAULTS,
          policies: PLAIN_POLICIES,
          shards: 1,
          settings: { batchSize: 100, windowMs: 10_000 },
          timeoutMs: 60_000,
          faultsForMs: 600_000,
        }),
        pipeline: smallPipeline,
        program: () => program,
      },
      (ports, where) => overtaken(ports, { where, losses, target }),
    );
    const run = observed.runs[target];
    const { report, response } = run?.result ?? {};
    const isLost = losses >= LOSSES_MAX;
    const first = run?.batch.Records[0]?.kinesis.sequenceNumber;
    return [
      ...observed.result.violations,
      ...differs('answer', response?.batchItemFailures, isLost ? [{ itemIdentifier: first }] : []),
      ...(isLost
        ? differs(
            'stops',
            report?.stops.every((stop) => /lost 20 times/.test(stop)),
            true,
          )
        : differs('conflicts', report?.conflicts, losses)),
      ...outside('stops', report?.stops.length, isLost ? [1, 5] : [0, 0]),
      ...(run === undefined ? [] : checkCatchUps(requestsOf(observed, run))),
    ].map((text) => `${losses} losses in run ${target}: ${text}`);
  },
};

/** Who lost reads what came after what it knew, and nothing that it knows. */
function checkCatchUps(requests: readonly Request[]): readonly string[] {
  const lost = requests.filter(
    ({ operation, answer }) =>
      operation === 'ledger.putIf' && /"conflict"/.test(JSON.stringify(answer)),
  );
  const reads = requests.filter(({ operation, input }) => {
    const { descending } = itemsOf(input)[0] ?? {};
    return operation === 'ledger.query' && descending !== true;
  });
  const known = lost.map(({ input }) => Number(String(itemsOf(input)[0]?.sk).slice(2)) - 1);
  const asked = reads.map(({ input }) => Number(String(itemsOf(input)[0]?.after).slice(2) || 0));
  return differs('read after', asked, known);
}

/** Events of one partition, so that there is one ledger. */
function batchAt(seed: number, afterMs: number) {
  const events = simEvents(seed + afterMs, 40, { ids: `${afterMs}-`, strays: 0 });
  return events
    .filter(({ partitionKey }) => partitionKey === 'p-0')
    .map((event) => ({ ...event, atMs: NOON_MS + afterMs }));
}

interface Overtaking {
  readonly where: () => Where;
  readonly losses: number;
  readonly target: number;
}

function overtaken(ports: ConsumePorts, { where, losses, target }: Overtaking): ConsumePorts {
  let left = losses;
  const putIf: ConsumePorts['ledger']['putIf'] = async (writes, options) => {
    const isTarget = where().run === target && where().container === 0;
    const isEntry = nameOf({ operation: 'ledger.putIf', input: writes }) === 'ledger.putIf e#';
    if (isTarget && isEntry && left > 0) {
      left -= 1;
      const [item] = itemsOf(writes);
      const query = { pk: String(item?.pk), after: 'e#~', descending: true, limit: 1 };
      const { items } = await ports.ledger.query(query, options);
      await ports.ledger.putAll([markerAfter(items[0], String(item?.pk))], options);
    }
    return ports.ledger.putIf(writes, options);
  };
  return { ...ports, ledger: { ...ports.ledger, putIf } };
}

/** Says what the entry says, and no ids; or nothing, where there is none. */
function markerAfter(newest: Item | undefined, pk: string): Item {
  const empty: Item = { pk, sk: 'e#000000000000', v: 1, a: 0, f: '', t: NOON_MS, ttl: 2e9 };
  const { i: _ids, ...kept } = newest?.sk.startsWith('e#') ? newest : empty;
  const n = Number(String(kept.sk).slice(2)) + 1;
  return { ...kept, pk, sk: `e#${String(n).padStart(12, '0')}` };
}
