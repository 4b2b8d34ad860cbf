import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** Units that a table billed. */
export interface TableUnits {
  read: number;
  write: number;
}

/** What an answer of DynamoDB says of one table. */
interface Consumed {
  readonly TableName?: string | undefined;
  readonly CapacityUnits?: number | undefined;
}

/** Calls that read; every other one writes. */
const READS = /^(Query|GetItem|BatchGetItem|Scan)Command$/;

/**
 * Adds up the units that DynamoDB bills, as its answers say: what a batch costs stands in its log line.
 * Requests that are refused say nothing, though a failed condition is billed too.
 */
export class UnitMeter {
  readonly #tables = new Map<string, TableUnits>();

  /** Asks for the units in every request of a client. */
  attach(client: DynamoDBClient): void {
    client.middlewareStack.add(
      (next, { commandName = '' }) =>
        async (request) => {
          const input = { ...request.input, ReturnConsumedCapacity: 'TOTAL' as const };
          const answer = await next({ ...request, input });
          const consumed: unknown = Reflect.get(answer.output, 'ConsumedCapacity');
          this.#add([consumed ?? []].flat() as Consumed[], READS.test(commandName));
          return answer;
        },
      { step: 'initialize', name: 'units' },
    );
  }

  /** Units by table since they were last taken. */
  take(): Readonly<Record<string, TableUnits>> {
    const taken = Object.fromEntries(this.#tables);
    this.#tables.clear();
    return taken;
  }

  #add(consumed: readonly Consumed[], isRead: boolean): void {
    for (const { TableName: table = '', CapacityUnits = 0 } of consumed) {
      const units = this.#tables.get(table) ?? { read: 0, write: 0 };
      units[isRead ? 'read' : 'write'] += CapacityUnits;
      this.#tables.set(table, units);
    }
  }
}
