import { Logger } from '@aws-lambda-powertools/logger';
import { Metrics } from '@aws-lambda-powertools/metrics';
import { METRIC_NAMESPACE, serviceName } from '../../src/core/contract.ts';
import { readEnv } from './env.ts';

const { pipeline, environment, generation } = readEnv(['pipeline', 'environment', 'generation']);
const service = serviceName(pipeline, environment, generation);

/** Structured logs. Never give it an event: events are personal data. */
export const logger = new Logger({ serviceName: service });

/** Embedded metrics, with `service` as their one dimension. */
export const metrics = new Metrics({ namespace: METRIC_NAMESPACE, serviceName: service });
