import type { MemoryOutlet } from '../adapters/memory/outlet.ts';
import { TransientError } from '../core/errors.ts';
import type { Outlet, OutletRecord, SendResult } from '../ports/outlet.ts';
import type { SendOptions } from '../ports/table.ts';
import type { VirtualClock } from './clock.ts';
import type { Send } from './container.ts';
import type { Dice } from './dice.ts';
import { LATE_MS } from './faults.ts';

/** What an outlet is reached through. */
export interface OutletPath {
  readonly send: Send;
  readonly clock: VirtualClock;
  readonly dice: Dice;
}

/** Records of one request: Kinesis' limit. */
const RECORDS_MAX = 500;

const STEP = 'outlet.send';

/**
 * The stream of a pipeline that is fed, as a container sees it: each record of a request has luck of its
 * own. A request follows one that was taken whole, as the real adapter has it.
 */
export function outletThrough(outlet: MemoryOutlet, path: OutletPath): Outlet {
  return {
    send: async (records, options) => {
      const results: SendResult[] = [];
      while (results.length < records.length) {
        const some = records.slice(results.length, results.length + RECORDS_MAX);
        results.push(...(await request(outlet, path, some, options)));
        if (results.some(({ status }) => status === 'failed')) break;
      }
      return records.map((_, index) => results[index] ?? failed('a refusal before it'));
    },
  };
}

function request(
  outlet: MemoryOutlet,
  path: OutletPath,
  records: readonly OutletRecord[],
  options: SendOptions,
): Promise<readonly SendResult[]> {
  return path.send<readonly SendResult[]>(
    {
      step: STEP,
      size: records.length,
      service: 'outlet',
      encrypted: true,
      apply: async () => {
        const results: SendResult[] = [];
        for (const record of records) results.push(await one(outlet, path, record, options));
        return results;
      },
      refused: (error) => records.map(() => ({ status: 'failed', error })),
    },
    options,
  );
}

async function one(
  outlet: MemoryOutlet,
  { dice, clock }: OutletPath,
  record: OutletRecord,
  options: SendOptions,
): Promise<SendResult> {
  const luck = dice.oneOf(['refuse', 'loseAnswer', 'applyLate'], STEP);
  const put = () => outlet.send([record], options);
  if (luck === 'refuse') return failed(luck);
  if (luck === 'applyLate') {
    clock.at(clock.now() + dice.upTo(LATE_MS), put);
    return failed(luck);
  }
  const [result = failed('no answer')] = await put();
  return luck === 'loseAnswer' ? failed(luck) : result;
}

function failed(why: string): SendResult {
  return { status: 'failed', error: new TransientError(`${STEP}: simulated ${why}`) };
}
