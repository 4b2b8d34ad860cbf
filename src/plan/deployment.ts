import type { Duration } from '../core/duration.ts';

/** Bounds of a table's capacity, units a second, 1 to 40,000. */
export interface CapacityRange {
  readonly least: number;
  readonly most: number;
}

/** Capacity of a table that is not on demand. */
export interface TableCapacity {
  readonly write: CapacityRange;
  readonly read: CapacityRange;
}

/** The tables whose capacity is provisioned. */
export type ScaledTables = Readonly<
  Partial<Record<'aggregates' | 'ledger' | 'events', TableCapacity>>
>;

/** What a plan looks at of an environment; `EnvironmentConfig` in lib/config/environment.ts has it all. */
export interface Deployment {
  readonly name: string;
  readonly protectData: boolean;
  readonly stream:
    | { readonly type: 'on-demand' }
    | { readonly type: 'provisioned'; readonly shards: number; readonly scaleTo?: number };
  readonly consumer: {
    readonly memoryMb: number;
    readonly timeoutSeconds: number;
    readonly batchSize: number;
    readonly batchingWindowSeconds: number;
    readonly parallelizationFactor: number;
  };
  readonly archive:
    | false
    | {
        readonly memoryMb: number;
        readonly batchSize: number;
        readonly batchingWindowSeconds: number;
        readonly infrequentAccess: Duration | null;
        readonly glacier: Duration | null;
      };
  readonly tables?: ScaledTables;
  readonly alarms: { readonly noEvents: Duration | null };
  readonly dashboards: 'all' | 'overview';
  readonly logDays: number;
}
