import type { MemoryOutlet } from '../adapters/memory/outlet.ts';
import type { Outlet, OutletRecord, SendResult } from '../ports/outlet.ts';
import type { SendOptions } from '../ports/table.ts';
import { failedItem, type ItemPath, putWithLuck } from './item-luck.ts';

/** Records of one request: Kinesis' limit. */
const RECORDS_MAX = 500;

const STEP = 'outlet.send';

/**
 * The stream of a pipeline that is fed, as a container sees it: each record of a request has luck of its
 * own. A request follows one that was taken whole, as the real adapter has it.
 */
export function outletThrough(outlet: MemoryOutlet, path: ItemPath): Outlet {
  return {
    send: async (records, options) => {
      const results: SendResult[] = [];
      while (results.length < records.length) {
        const some = records.slice(results.length, results.length + RECORDS_MAX);
        results.push(...(await request(outlet, path, some, options)));
        if (results.some(({ status }) => status === 'failed')) break;
      }
      return records.map((_, index) => results[index] ?? failedItem(STEP, 'a refusal before it'));
    },
  };
}

function request(
  outlet: MemoryOutlet,
  path: ItemPath,
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
        for (const record of records) {
          results.push(await putWithLuck(path, STEP, () => outlet.send([record], options)));
        }
        return results;
      },
      refused: (error) => records.map(() => ({ status: 'failed', error })),
    },
    options,
  );
}
