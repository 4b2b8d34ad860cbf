import { Duration } from 'aws-cdk-lib';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { NodejsFunction } from 'aws-cdk-lib/aws-lambda-nodejs';
import { Construct } from 'constructs';
import { permissions } from '../security/permissions.ts';
import type { ClosedWindows } from '../serving/closed-windows.ts';
import { type ConsumerProps, generationOf } from './consumer.ts';
import { makePipelineFunction } from './pipeline-function.ts';

/** How often it looks: the least that a schedule allows. */
const EVERY = Duration.minutes(1);

/** Memory and time-out; runs may overlap, and a backlog of windows takes more than a minute. */
export const CLOSER = { memoryMb: 1024, timeoutSeconds: 300 } as const;

/** What a closer is made with. */
export interface CloserProps extends ConsumerProps {
  readonly closedWindows: ClosedWindows;
}

/** The function that closes windows and publishes them, on its schedule: also when no event arrives. */
export class Closer extends Construct {
  readonly function: NodejsFunction;

  constructor(scope: Construct, id: string, props: CloserProps) {
    super(scope, id);
    const { folder, environment, data, closedWindows } = props;
    const { stream, dataKey } = data;
    const { name, tables } = generationOf(props);
    this.function = makePipelineFunction(this, 'Function', {
      entry: 'close',
      folder,
      environment,
      key: dataKey,
      ...CLOSER,
      variables: {
        streamArn: stream.streamArn,
        ledgerTable: tables.ledger.tableName,
        aggregatesTable: tables.aggregates.tableName,
        closedWindowsBus: closedWindows.bus.eventBusName,
        sourceTable: data.tables.ledger.tableName,
        generation: name,
      },
    });
    const statements = [
      permissions.identifyStream(stream),
      permissions.appendLedger(tables.ledger),
      permissions.closerAggregates(tables.aggregates),
      permissions.publish(closedWindows.bus),
      permissions.useKey(dataKey),
    ];
    if (tables !== data.tables) statements.push(permissions.readLive(data.tables.ledger));
    for (const statement of statements) this.function.addToRolePolicy(statement);
    new Rule(this, 'Schedule', {
      description: `Millrace: close the windows of ${folder.name}`,
      schedule: Schedule.rate(EVERY),
      // What fails is tried again by the next run, a minute later.
      targets: [new LambdaFunction(this.function, { retryAttempts: 0 })],
    });
  }
}
