import { type App, PermissionsBoundary, Tags, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { compile } from '../src/core/compile.ts';
import type { PipelineFolder } from '../src/project/discover.ts';
import { ComputeStack } from './compute-stack.ts';
import type { EnvironmentConfig } from './config/environment.ts';
import { DataStack } from './data-stack.ts';
import { checkSettings } from './safety/rules.ts';
import { acknowledgeFindings } from './security/findings.ts';

/** What an app is made of. */
export interface StackSource {
  readonly folders: readonly PipelineFolder[];
  readonly environment: EnvironmentConfig;
  /** Where it is deployed: tables with their own key have to know the region when they are synthesised. */
  readonly target: Target;
}

/** Account and region; without an account the template fits any. */
export interface Target {
  readonly account: string | undefined;
  readonly region: string;
}

/**
 * Adds the stacks of the given pipelines to an app, data and compute for each, with the checks that
 * fail a synth.
 *
 * @throws UnsafeSettingsError when settings don't go together
 */
export function addStacks(app: App, source: StackSource): App {
  const { folders, environment } = source;
  if (environment.bootstrapQualifier !== undefined) {
    app.node.setContext('@aws-cdk/core:bootstrapQualifier', environment.bootstrapQualifier);
  }
  for (const folder of folders) addPipeline(app, folder, source);
  for (const [name, value] of Object.entries(environment.tags)) Tags.of(app).add(name, value);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return app;
}

function addPipeline(app: App, folder: PipelineFolder, { environment, target }: StackSource): void {
  const program = compile(folder.pipeline, folder.references);
  checkSettings({ program, environment, latencyP99Ms: folder.pipeline.objectives.latencyP99Ms });
  const base = `${folder.name}-${environment.name}`;
  const boundary =
    environment.permissionsBoundary === undefined
      ? {}
      : { permissionsBoundary: PermissionsBoundary.fromName(environment.permissionsBoundary) };
  const common = { environment, env: target, ...boundary };
  const data = new DataStack(app, `${base}-data`, {
    ...common,
    program,
    description: `Millrace: stream, tables and bucket of ${folder.name} (${environment.name})`,
  });
  const compute = new ComputeStack(app, `${base}-compute`, {
    ...common,
    folder,
    data,
    description: `Millrace: functions, alarms and dashboard of ${folder.name} (${environment.name})`,
  });
  acknowledgeFindings(data, compute);
}
