import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { makeAlarmTopic } from './observability/alarm-topic.ts';
import { type AlarmDefinition, alarmDefinitions } from './observability/alarms.ts';
import { makeDashboard } from './observability/dashboard.ts';
import { idleCostMonth, PRICES } from './observability/idle-cost.ts';
import { pipelineMetrics } from './observability/metrics.ts';
import { Consumer, type ConsumerProps } from './processing/consumer.ts';
import { Keeper } from './processing/keeper.ts';

/** What a compute stack is made with. */
export interface ComputeStackProps extends StackProps, ConsumerProps {}

/** Everything of a pipeline that holds no data: it can be deleted and deployed again at any time. */
export class ComputeStack extends Stack {
  readonly consumer: Consumer;
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: ComputeStackProps) {
    const { folder, environment, data, ...rest } = props;
    super(scope, id, rest);
    const source = { folder, environment, data };
    this.consumer = new Consumer(this, 'Consumer', source);
    const keeper = new Keeper(this, 'Keeper', source);
    this.topic = makeAlarmTopic(this, 'Alarms', environment.alarms.emails);
    const metrics = pipelineMetrics({
      pipeline: folder.name,
      environment: environment.name,
      data,
      consumer: this.consumer,
      keeper,
    });
    const alarms = alarmDefinitions({
      pipeline: folder.pipeline,
      config: environment.alarms,
      metrics,
    });
    for (const alarm of alarms) this.#alarm(folder.name, alarm);
    const dashboard = makeDashboard(this, 'Dashboard', { pipeline: folder.name, metrics, alarms });
    new CfnOutput(this, 'ConsumerName', { value: this.consumer.function.functionName });
    new CfnOutput(this, 'MappingId', { value: this.consumer.mapping.eventSourceMappingId });
    new CfnOutput(this, 'AlarmTopic', { value: this.topic.topicArn });
    new CfnOutput(this, 'DashboardName', { value: dashboard.dashboardName });
    new CfnOutput(this, 'IdleCost', {
      value: idleCostText(idleCostMonth(environment, alarms.length)),
    });
  }

  #alarm(pipeline: string, definition: AlarmDefinition): void {
    const alarm = new Alarm(this, `${definition.id}Alarm`, {
      alarmDescription: `${pipeline}: ${definition.says}. What to do: docs/RUNBOOK.md#${definition.id.toLowerCase()}`,
      metric: definition.metric,
      threshold: definition.threshold,
      comparisonOperator: definition.comparison,
      datapointsToAlarm: definition.datapoints,
      evaluationPeriods: definition.periods,
      treatMissingData: definition.missing,
    });
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
  }
}

function idleCostText(dollars: number): string {
  return `about $${dollars.toFixed(2)} a month when idle (stream, keys, alarms; us-east-1, prices of ${PRICES.date})`;
}
