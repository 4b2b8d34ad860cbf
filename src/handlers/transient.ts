import { DeadlineError, TransientError } from '../core/errors.ts';

/** True for an error after which the same call may go through: it is worth another try. */
export function isTransient(error: unknown): error is TransientError {
  return error instanceof TransientError;
}

/** True for an error that ends a writer's try without being a fault: its records come again. */
export function endsTry(error: unknown): error is TransientError | DeadlineError {
  return error instanceof TransientError || error instanceof DeadlineError;
}

/** The value, or the error that ends a try; any other error is thrown. */
export function settle<Value>(
  promise: Promise<Value>,
): Promise<Value | TransientError | DeadlineError> {
  return promise.catch((error: unknown) => (endsTry(error) ? error : Promise.reject(error)));
}
