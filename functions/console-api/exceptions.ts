import type { Clock } from '../../core/ports/clock.ts';
import type { UploadException, UploadStore } from '../../core/ports/upload-store.ts';
import { type OpenStatus, type Receipt, remedies } from '../../protocol/operation.ts';
import { SyncError } from '../../protocol/sync-error.ts';
import { type ResolveDeps, discardException, resolveException } from '../apply/resolve-exception.ts';
import type { ConsoleOp } from './console-op.ts';
import { type Done, changed, looked } from './done.ts';

/** Operations of stores that wait for somebody: looked at, mended and replayed, or closed with a reason. */
export interface ExceptionDeps extends Omit<ResolveDeps, 'uploads'> {
  readonly uploads: UploadStore;
  readonly clock: Clock;
}

type ExceptionOp = 'exceptions.list' | 'exceptions.show' | 'exceptions.replay' | 'exceptions.discard';

export function isExceptionRequest(request: { readonly op: string }): request is ConsoleOp<ExceptionOp> {
  return request.op.startsWith('exceptions.');
}

export async function exceptionsApi(deps: ExceptionDeps, request: ConsoleOp<ExceptionOp>): Promise<Done> {
  switch (request.op) {
    case 'exceptions.list':
      return looked(await listExceptions(deps, request));
    case 'exceptions.show':
      return looked(await showException(deps, request));
    case 'exceptions.replay':
      return replayException(deps, request);
    case 'exceptions.discard':
      return discard(deps, request);
  }
}

async function listExceptions(deps: ExceptionDeps, request: ConsoleOp<'exceptions.list'>): Promise<object> {
  const { status, storeId, after, limit } = request;
  const query = { max: limit, ...(status === undefined ? {} : { status }), ...(storeId === undefined ? {} : { storeId }) };
  return deps.uploads.listExceptions({ ...query, ...(after === undefined ? {} : { after }) });
}

async function showException(deps: ExceptionDeps, { opId }: ConsoleOp<'exceptions.show'>): Promise<object> {
  const exception = await read(deps, opId);
  return { exception, remedy: remedies[exception.receipt.status as OpenStatus] };
}

async function replayException(deps: ExceptionDeps, { opId, fields, approve, by }: ConsoleOp<'exceptions.replay'>): Promise<Done> {
  const exception = await read(deps, opId);
  const { operation } = exception;
  const mended = fields === undefined ? operation : { ...operation, fields: { ...operation.fields, ...fields } };
  return closed(exception, await resolveException(deps, exception, { operation: mended, by, isApproved: approve }));
}

async function discard(deps: ExceptionDeps, { opId, reason, replacedBy, by }: ConsoleOp<'exceptions.discard'>): Promise<Done> {
  const exception = await read(deps, opId);
  return closed(exception, await discardException(deps, exception, { by, reason, ...(replacedBy === undefined ? {} : { replacedBy }) }));
}

function closed({ receipt: before }: UploadException, receipt: Receipt): Done {
  return changed({ receipt }, { status: before.status }, { status: receipt.status });
}

async function read({ uploads }: ExceptionDeps, opId: string): Promise<UploadException> {
  const exception = await uploads.readException(opId);
  if (exception === null) throw new SyncError('NOT_FOUND', `there is no exception ${opId}; somebody may have closed it`);
  return exception;
}
