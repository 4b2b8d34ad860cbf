import { DEV, type EnvironmentConfig, PROD } from './lib/config/environment.ts';

/**
 * The environments that can be deployed, by name: `npx cdk deploy --all -c env=prod`. Put your e-mail
 * addresses, tags, limits and so on here; every setting is described in lib/config/environment.ts.
 */
const environments: Readonly<Record<string, EnvironmentConfig>> = {
  dev: DEV,
  prod: PROD,
};

export default environments;
