import type { Duration } from '../core/duration.ts';

/** What a plan looks at of an environment; `EnvironmentConfig` in lib/config/environment.ts has it all. */
export interface Deployment {
  readonly name: string;
  readonly protectData: boolean;
  readonly stream:
    | { readonly type: 'on-demand' }
    | { readonly type: 'provisioned'; readonly shards: number };
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
  readonly alarms: { readonly noEvents: Duration | null };
  readonly dashboards: 'all' | 'overview';
  readonly logDays: number;
}
