import { type Command, Option } from 'commander';
import type { DeploymentChoice } from '../local/deployed.ts';
import { ROOT } from '../local/paths.ts';
import { discoverPipelines } from '../project/discover.ts';
import type { CommandContext } from './context.ts';

/** What every command about a deployment is told. */
export interface DeploymentFlags {
  readonly pipeline: string;
  readonly env: string;
  readonly region?: string;
  readonly profile?: string;
}

/** Adds the options that say which pipeline's deployment is meant: locally where nothing is said. */
export function deploymentOptions(command: Command, { env }: CommandContext): Command {
  const names = discoverPipelines(ROOT);
  return command
    .addOption(
      new Option('--pipeline <name>', 'folder of pipelines/').choices(names).default(names[0]),
    )
    .option('--env <name>', 'local, or an environment on AWS such as dev or prod', 'local')
    .option('--region <name>', 'of AWS', env.AWS_REGION)
    .option('--profile <name>', 'of your AWS credentials', env.AWS_PROFILE);
}

/** The deployment that the options are about. */
export function chosenDeployment(
  { pipeline, env: environment, region, profile }: DeploymentFlags,
  { env }: CommandContext,
): DeploymentChoice {
  return { pipeline, environment, region, profile, endpoint: env.AWS_ENDPOINT_URL };
}
