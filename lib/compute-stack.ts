import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { compile } from '../src/core/compile.ts';
import { serviceName } from '../src/core/contract.ts';
import { firstLimit } from '../src/plan/first-limit.ts';
import { PRICES } from '../src/plan/prices.ts';
import type { PipelineFolder } from '../src/project/discover.ts';
import type { EnvironmentConfig } from './config/environment.ts';
import { countAlarmMetrics, makeAlarms } from './observability/alarm-resources.ts';
import { makeAlarmTopic } from './observability/alarm-topic.ts';
import { alarmDefinitions, COMPOSITES } from './observability/alarms.ts';
import { makeLayerDashboards, makeOverview } from './observability/dashboards.ts';
import { idleCostMonth, type Watching } from './observability/idle-cost.ts';
import { pipelineMetrics } from './observability/metrics.ts';
import { Archiver } from './processing/archiver.ts';
import { Closer } from './processing/closer.ts';
import { Consumer, type ConsumerProps } from './processing/consumer.ts';
import { Keeper } from './processing/keeper.ts';
import { Redriver } from './processing/redriver.ts';
import { Replayer } from './processing/replayer.ts';
import { Scaler } from './processing/scaler.ts';

/** What a compute stack is made with. */
export interface ComputeStackProps extends StackProps, ConsumerProps {}

/** Everything of a pipeline that holds no data: it can be deleted and deployed again at any time. */
export class ComputeStack extends Stack {
  readonly consumer: Consumer;
  /** Undefined where the pipeline or the environment has no archive. */
  readonly archiver: Archiver | undefined;
  readonly topic: Topic;

  constructor(scope: Construct, id: string, props: ComputeStackProps) {
    const { folder, environment, data, fed, ...rest } = props;
    super(scope, id, rest);
    const source = { folder, environment, data, fed };
    this.consumer = new Consumer(this, 'Consumer', source);
    const keeper = new Keeper(this, 'Keeper', source);
    const redriver = new Redriver(this, 'Redriver', source);
    this.archiver = this.#archiver(source);
    const { closedWindows } = data;
    const closer =
      closedWindows === undefined
        ? undefined
        : new Closer(this, 'Closer', { ...source, closedWindows });
    const scaler = this.#scaler(source);
    this.topic = makeAlarmTopic(this, 'Alarms', environment.alarms);
    const watching = this.#observe(props, { keeper, redriver, closer, scaler });
    new CfnOutput(this, 'ConsumerName', { value: this.consumer.function.functionName });
    new CfnOutput(this, 'RedriverName', { value: redriver.function.functionName });
    new CfnOutput(this, 'PipelineVersion', { value: this.consumer.version });
    new CfnOutput(this, 'MappingId', { value: this.consumer.mapping.eventSourceMappingId });
    if (this.archiver !== undefined) {
      const { function: archiver, mapping } = this.archiver;
      new CfnOutput(this, 'ArchiverName', { value: archiver.functionName });
      new CfnOutput(this, 'ArchiveMappingId', { value: mapping.eventSourceMappingId });
    }
    if (closer !== undefined) {
      new CfnOutput(this, 'CloserName', { value: closer.function.functionName });
    }
    if (data.archive !== undefined) {
      const replayer = new Replayer(this, 'Replayer', { ...source, store: data.archive });
      new CfnOutput(this, 'ReplayerName', { value: replayer.function.functionName });
    }
    new CfnOutput(this, 'AlarmTopic', { value: this.topic.topicArn });
    new CfnOutput(this, 'FirstLimit', { value: firstLimitText(folder, environment) });
    new CfnOutput(this, 'IdleCost', { value: idleCostText(idleCostMonth(environment, watching)) });
  }

  #scaler(source: ConsumerProps): Scaler | undefined {
    const { stream } = source.environment;
    if (stream.type !== 'provisioned' || stream.scaleTo === undefined) return undefined;
    const range = { least: stream.shards, most: stream.scaleTo };
    const scaler = new Scaler(this, 'Scaler', { ...source, ...range });
    new CfnOutput(this, 'ScalerName', { value: scaler.function.functionName });
    return scaler;
  }

  #archiver(source: ConsumerProps): Archiver | undefined {
    const { archive: store } = source.data;
    const { archive: config } = source.environment;
    if (store === undefined || config === false) return undefined;
    return new Archiver(this, 'Archiver', { ...source, store, config });
  }

  /** Alarms and dashboards; answers what they are billed by. */
  #observe(
    { folder, environment, data }: ConsumerProps,
    functions: {
      readonly keeper: Keeper;
      readonly redriver: Redriver;
      readonly closer: Closer | undefined;
      readonly scaler: Scaler | undefined;
    },
  ): Watching {
    const { consumer, archiver, topic } = this;
    const service = serviceName(folder.name, environment.name);
    const own = { consumer, archiver, topic, ...functions };
    const source = { pipeline: folder.name, environment, data, ...own };
    const metrics = pipelineMetrics(source);
    const alarms = alarmDefinitions({ pipeline: folder.pipeline, environment });
    const shown = { service, metrics, alarms, composites: COMPOSITES };
    makeAlarms(this, { ...shown, topic, environment });
    const overview = makeOverview(this, shown);
    const layers = environment.dashboards === 'all' ? makeLayerDashboards(this, shown) : [];
    new CfnOutput(this, 'DashboardName', { value: overview.dashboardName });
    return {
      alarmMetrics: countAlarmMetrics(alarms, metrics),
      compositeAlarms: 2 * COMPOSITES.length,
      dashboards: 1 + layers.length,
      closes: functions.closer !== undefined,
    };
  }
}

function firstLimitText(
  { name, pipeline, references }: PipelineFolder,
  environment: EnvironmentConfig,
): string {
  const program = compile(pipeline, references);
  const { rate, what, fix } = firstLimit(
    { program, deployment: environment },
    environment.traffic?.[name],
  );
  return `about ${Math.floor(rate)} events/s, where ${what}; then: ${fix}`;
}

function idleCostText(dollars: number): string {
  return `about $${dollars.toFixed(2)} a month when idle (stream, keys, alarms, dashboards; us-east-1, prices of ${PRICES.date})`;
}
