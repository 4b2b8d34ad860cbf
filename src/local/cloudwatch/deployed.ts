import { readFileSync } from 'node:fs';
import {
  type CloudFormationClient,
  paginateListExports,
  paginateListStackResources,
} from '@aws-sdk/client-cloudformation';
import type { Alarm } from '../../cloudwatch/alarm.ts';
import { ALARM_TYPES, readAlarm } from '../../cloudwatch/alarm-resources.ts';
import { readDashboard, type Widget } from '../../cloudwatch/dashboard.ts';
import { type Deployed, resolveReferences, type Template } from '../../cloudwatch/template.ts';
import type { DeployedWebhook } from './webhooks.ts';

/** What a deployed compute stack watches and shows. */
export interface Observed {
  readonly alarms: readonly Alarm[];
  /** Widgets of each dashboard by its name. */
  readonly dashboards: ReadonlyMap<string, readonly Widget[]>;
  readonly logGroups: readonly string[];
  readonly webhooks: readonly DeployedWebhook[];
  readonly account: string;
  readonly region: string;
}

/** Where a compute stack is. */
export interface ObservedSource {
  readonly client: CloudFormationClient;
  readonly stackName: string;
  /** The template as it was synthesised: with what the local cloud refuses. */
  readonly templateFile: string;
}

/** Reads alarms and dashboards from the synthesised template and what its references stand for. */
export async function readObserved(source: ObservedSource): Promise<Observed> {
  const template: Template = JSON.parse(readFileSync(source.templateFile, 'utf8'));
  const deployed = await readDeployed(source);
  const resources = Object.entries(template.Resources ?? {});
  const ofType = (...types: string[]) => resources.filter(([, { Type }]) => types.includes(Type));
  const resolved = (properties: object | undefined) =>
    resolveReferences(properties ?? {}, template, deployed) as Readonly<Record<string, unknown>>;
  return {
    alarms: ofType(...Object.values(ALARM_TYPES)).map(([, { Type, Properties }]) =>
      readAlarm(Type, resolved(Properties)),
    ),
    dashboards: new Map(
      ofType('AWS::CloudWatch::Dashboard').map(([, { Properties }]) => {
        const { DashboardName, DashboardBody } = resolved(Properties);
        return [String(DashboardName), readDashboard(String(DashboardBody))];
      }),
    ),
    logGroups: ofType('AWS::Logs::LogGroup').map(([id]) => deployed.physicalIds.get(id) ?? ''),
    webhooks: ofType('AWS::SNS::Subscription').flatMap(([id, { Properties }]) => {
      const { Protocol, Endpoint } = resolved(Properties);
      if (Protocol !== 'http' && Protocol !== 'https') return [];
      return [{ subscriptionArn: deployed.physicalIds.get(id) ?? '', url: String(Endpoint) }];
    }),
    account: deployed.account,
    region: deployed.region,
  };
}

async function readDeployed({ client, stackName }: ObservedSource): Promise<Deployed> {
  const physicalIds = new Map<string, string>();
  for await (const page of paginateListStackResources({ client }, { StackName: stackName })) {
    for (const one of page.StackResourceSummaries ?? []) {
      physicalIds.set(one.LogicalResourceId ?? '', one.PhysicalResourceId ?? '');
    }
  }
  const exports = new Map<string, string>();
  let stackArn = '';
  for await (const page of paginateListExports({ client }, {})) {
    for (const { Name = '', Value = '', ExportingStackId = '' } of page.Exports ?? []) {
      exports.set(Name, Value);
      stackArn = ExportingStackId;
    }
  }
  const [, , , region = 'us-east-1', account = '000000000000'] = stackArn.split(':');
  return { physicalIds, exports, account, region };
}
