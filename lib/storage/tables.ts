import { RemovalPolicy } from 'aws-cdk-lib';
import {
  AttributeType,
  Billing,
  Capacity,
  TableEncryptionV2,
  TableV2,
} from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { TABLE } from '../../src/core/contract.ts';
import type { CapacityRange, ScaledTables, TableCapacity } from '../../src/plan/deployment.ts';

/** What the tables are made with. */
export interface PipelineTablesProps {
  readonly key: IKey;
  /** Retained, protected against deletion, recoverable to any second of the last 35 days. */
  readonly protect: boolean;
  /** Tables that are not on demand; default: none. */
  readonly capacity?: ScaledTables | undefined;
}

/** What of its capacity a table is to use. */
const TARGET_PERCENT = 70;

/** The four tables of a pipeline, alike: on demand where nothing else is said, encrypted with the data key, with TTL. */
export class PipelineTables extends Construct {
  /** Each event on its own, by its id. */
  readonly events: TableV2;
  /** The cells of the windows. */
  readonly aggregates: TableV2;
  /** Each writer's chain of entries, the list of writers, the id key. */
  readonly ledger: TableV2;
  /** Where each quarantined record's document is. */
  readonly quarantine: TableV2;

  constructor(scope: Construct, id: string, props: PipelineTablesProps) {
    super(scope, id);
    const { events, aggregates, ledger } = props.capacity ?? {};
    this.events = this.#table('Events', props, events);
    this.aggregates = this.#table('Aggregates', props, aggregates);
    this.ledger = this.#table('Ledger', props, ledger);
    this.quarantine = this.#table('Quarantine', props);
  }

  #table(id: string, { key, protect }: PipelineTablesProps, capacity?: TableCapacity): TableV2 {
    return new TableV2(this, id, {
      partitionKey: { name: TABLE.partitionKey, type: AttributeType.STRING },
      sortKey: { name: TABLE.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: TABLE.ttl,
      billing: capacity === undefined ? Billing.onDemand() : provisioned(capacity),
      encryption: TableEncryptionV2.customerManagedKey(key),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: protect,
      removalPolicy: protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
  }
}

/** Follows the use between its bounds: "Managing throughput capacity automatically with auto scaling". */
function provisioned({ write, read }: TableCapacity): Billing {
  const scaled = ({ least, most }: CapacityRange) =>
    Capacity.autoscaled({
      minCapacity: least,
      maxCapacity: most,
      targetUtilizationPercent: TARGET_PERCENT,
    });
  return Billing.provisioned({ writeCapacity: scaled(write), readCapacity: scaled(read) });
}
