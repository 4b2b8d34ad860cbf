import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, Billing, TableEncryptionV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { TABLE } from '../../src/core/contract.ts';

/** What the tables are made with. */
export interface PipelineTablesProps {
  readonly key: IKey;
  /** Retained, protected against deletion, recoverable to any second of the last 35 days. */
  readonly protect: boolean;
}

/** The four tables of a pipeline, alike: on demand, encrypted with the data key, with TTL. */
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
    this.events = this.#table('Events', props);
    this.aggregates = this.#table('Aggregates', props);
    this.ledger = this.#table('Ledger', props);
    this.quarantine = this.#table('Quarantine', props);
  }

  #table(id: string, { key, protect }: PipelineTablesProps): TableV2 {
    return new TableV2(this, id, {
      partitionKey: { name: TABLE.partitionKey, type: AttributeType.STRING },
      sortKey: { name: TABLE.sortKey, type: AttributeType.STRING },
      timeToLiveAttribute: TABLE.ttl,
      billing: Billing.onDemand(),
      encryption: TableEncryptionV2.customerManagedKey(key),
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: protect,
      removalPolicy: protect ? RemovalPolicy.RETAIN : RemovalPolicy.DESTROY,
    });
  }
}
