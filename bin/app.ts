import path from 'node:path';
import { App } from 'aws-cdk-lib';
import { addStacks } from '../lib/app.ts';
import { findEnvironment } from '../lib/config/find.ts';
import { readGeneration } from '../lib/config/generation.ts';
import environments from '../millrace.config.ts';
import { discoverPipelines } from '../src/project/discover.ts';
import { loadStages } from '../src/project/stages.ts';

const root = path.join(import.meta.dirname, '..');
const app = new App();
const environment = findEnvironment(environments, app.node.tryGetContext('env'));
const only: string | undefined = app.node.tryGetContext('pipeline');
const names = only === undefined ? discoverPipelines(root) : [only];
const folders = await loadStages(root, names);
const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region = 'us-east-1' } = process.env;
const generation = readGeneration((key) => app.node.tryGetContext(key));
addStacks(app, { folders, environment, target: { account, region }, generation }).synth();
