import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import { permissions } from '../security/permissions.ts';
import { type ConsumerProps, generationOf } from './consumer.ts';
import { makePipelineFunction } from './pipeline-function.ts';

/** An entry lives a day at least; the keeper looks far more often than half of that. */
const EVERY = Duration.hours(1);

/** The function that keeps the ledgers of idle writers alive, on its schedule. */
export class Keeper extends Construct {
  readonly function: NodejsFunction;

  constructor(scope: Construct, id: string, props: ConsumerProps) {
    super(scope, id);
    const { folder, environment, data } = props;
    const { name, tables } = generationOf(props);
    this.function = makePipelineFunction(this, 'Function', {
      entry: 'keep',
      folder,
      environment,
      key: data.dataKey,
      memoryMb: 512,
      timeoutSeconds: 60,
      variables: {
        streamArn: data.stream.streamArn,
        ledgerTable: tables.ledger.tableName,
        generation: name,
      },
    });
    const statements = [
      permissions.identifyStream(data.stream),
      permissions.appendLedger(tables.ledger),
      permissions.useKey(data.dataKey),
    ];
    for (const statement of statements) this.function.addToRolePolicy(statement);
    new Rule(this, 'Schedule', {
      description: `Millrace: keep the ledgers of ${folder.name} alive`,
      schedule: Schedule.rate(EVERY),
      targets: [new LambdaFunction(this.function, { retryAttempts: 2 })],
    });
  }
}
