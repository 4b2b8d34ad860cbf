import type { Duration } from '../../src/core/duration.ts';
import type { ScaledTables } from '../../src/plan/deployment.ts';
import type { ExpectedTraffic } from '../../src/plan/first-limit.ts';

/** How many shards a stream has, or that AWS decides. */
export type StreamMode =
  | { readonly type: 'on-demand' }
  | {
      readonly type: 'provisioned';
      /** Shards; where it is scaled, at least and at the start. */
      readonly shards: number;
      /**
       * A function doubles and halves the shards between `shards` and this, which is `shards` times a power
       * of two, and no more than there are partitions. Default: the number stays.
       */
      readonly scaleTo?: number;
    };

/** Everything that differs between deployments of the same pipeline. */
export interface EnvironmentConfig {
  /** Part of the stacks' names: lower-case letters and digits. */
  readonly name: string;
  /** Data outlives its stack: retained, protected against deletion, recoverable to any second. */
  readonly protectData: boolean;
  readonly stream: StreamMode;
  readonly consumer: ConsumerConfig;
  /** How every record is archived; false leaves the archive out, with everything that it costs. */
  readonly archive: ArchiveConfig | false;
  readonly alarms: AlarmConfig;
  /**
   * One dashboard for the whole, or one more for each layer. Beyond three in an account each costs $3 a
   * month.
   */
  readonly dashboards: 'all' | 'overview';
  /**
   * Tables with provisioned capacity that follows the use at 70 %, between bounds; default: all on demand.
   * A seventh of the price a unit where the use is even; bursts are throttled for minutes, and wait.
   */
  readonly tables?: ScaledTables;
  /**
   * What a pipeline is expected to get, by its name: where its settings don't carry that, the synth fails
   * and says what gives first. Default: nothing is expected; the output `FirstLimit` says what can come.
   */
  readonly traffic?: Readonly<Record<string, ExpectedTraffic>>;
  /** Days that logs are kept: one of CloudWatch's values, such as 7, 30, 90, 365. */
  readonly logDays: 7 | 14 | 30 | 90 | 180 | 365;
  /** Added to every resource that takes tags. */
  readonly tags: Readonly<Record<string, string>>;
  /** Name of a managed policy that bounds every role, if your organisation wants one. */
  readonly permissionsBoundary?: string;
  /** Qualifier of the CDK bootstrap, if it isn't the default one. */
  readonly bootstrapQualifier?: string;
}

/** The function that consumes the stream, and its event source mapping. */
export interface ConsumerConfig {
  /** 128 to 10,240 MB; 1,769 MB is one virtual CPU. */
  readonly memoryMb: number;
  /** 10 to 900 seconds. */
  readonly timeoutSeconds: number;
  /** Records in a batch at most, 1 to 10,000. */
  readonly batchSize: number;
  /** How long records are collected for a batch, 0 to 300 seconds. */
  readonly batchingWindowSeconds: number;
  /** Batches of one shard at the same time, 1 to 10; 1 where writers are shards. */
  readonly parallelizationFactor: number;
  /** Halve a batch that made the function fail. */
  readonly bisectOnError: boolean;
  /** Tries after the first; -1 never gives up. Anything else is refused, unless `giveUp` is set: see docs/adr/0001. */
  readonly retryAttempts: number;
  /** Age at which a record is given up, in seconds; -1 never. Anything else is refused, unless `giveUp` is set. */
  readonly maxRecordAgeSeconds: number;
  /**
   * Allows the two limits: generation `standby` (2 to 9,999) stands by in a stack of its own, and when a batch
   * was given up it is rebuilt from the archive and goes live by itself. Default: limits are refused.
   */
  readonly giveUp?: { readonly standby: number };
}

/** The function that archives the stream, and what becomes of its objects. */
export interface ArchiveConfig {
  /** 256 to 10,240 MB. */
  readonly memoryMb: number;
  /** 10 to 900 seconds. */
  readonly timeoutSeconds: number;
  /** Records of an object at most, 1 to 10,000; 6 MB of payload come first for records over 400 bytes. */
  readonly batchSize: number;
  /** How long records are collected for an object, 0 to 300 seconds: larger objects, fewer requests, later. */
  readonly batchingWindowSeconds: number;
  /**
   * Age at which objects go to Infrequent Access, 30 days at least; null: never. S3 leaves objects of
   * less than 128 KB where they are.
   */
  readonly infrequentAccess: Duration | null;
  /**
   * Age at which they go to Glacier Instant Retrieval, 30 days after Infrequent Access at least; null:
   * never. Queries and replay read them there as before, for 0.03 dollars a GB.
   */
  readonly glacier: Duration | null;
}

/** When alarms go off, and who is told. */
export interface AlarmConfig {
  /** E-mail addresses that are subscribed to the topic; each has to confirm once. */
  readonly emails: readonly string[];
  /**
   * URLs that SNS posts to, such as `https://example.com/hook`: HTTPS, or HTTP on this machine. Each has
   * to confirm once, by a GET of the `SubscribeURL` that it is sent.
   */
  readonly webhooks: readonly string[];
  /** Where the runbook is, for messages: a path in the repository, or the URL that people open. */
  readonly runbook: string;
  /** Age of the oldest unprocessed record that raises the alarm. */
  readonly iteratorAge: Duration;
  /** Age of a record that isn't in the archive that raises the alarm; longer than its batching window. */
  readonly archiveAge: Duration;
  /** Silence that raises the alarm; null where no events are normal. */
  readonly noEvents: Duration | null;
}

/** For trying things out: cheap when idle; its data goes when its stack is deleted. */
export const DEV: EnvironmentConfig = {
  name: 'dev',
  protectData: false,
  stream: { type: 'provisioned', shards: 1 },
  consumer: {
    memoryMb: 1024,
    timeoutSeconds: 60,
    batchSize: 1000,
    batchingWindowSeconds: 1,
    parallelizationFactor: 1,
    bisectOnError: true,
    retryAttempts: -1,
    maxRecordAgeSeconds: -1,
  },
  archive: {
    memoryMb: 512,
    timeoutSeconds: 60,
    batchSize: 10_000,
    batchingWindowSeconds: 60,
    infrequentAccess: null,
    glacier: null,
  },
  alarms: {
    emails: [],
    webhooks: [],
    runbook: 'docs/RUNBOOK.md',
    iteratorAge: '5 minutes',
    archiveAge: '30 minutes',
    noEvents: null,
  },
  dashboards: 'all',
  logDays: 7,
  tags: { application: 'millrace', environment: 'dev' },
};

/** For real: data is retained and protected, the stream scales by itself. */
export const PROD: EnvironmentConfig = {
  ...DEV,
  name: 'prod',
  protectData: true,
  stream: { type: 'on-demand' },
  consumer: { ...DEV.consumer, memoryMb: 1769, parallelizationFactor: 2 },
  archive: {
    memoryMb: 1024,
    timeoutSeconds: 60,
    batchSize: 10_000,
    batchingWindowSeconds: 300,
    infrequentAccess: '30 days',
    glacier: '90 days',
  },
  alarms: { ...DEV.alarms, noEvents: '30 minutes' },
  logDays: 90,
  tags: { application: 'millrace', environment: 'prod' },
};
