//! Runs whatever touches the disk on libuv's thread pool, never on JavaScript's thread.

use std::panic::{catch_unwind, AssertUnwindSafe};

use napi::bindgen_prelude::{AsyncTask, ToNapiValue, TypeName};
use napi::{Env, Task};

use crate::failure::Failure;

type Run<Output> = Box<dyn FnOnce() -> Result<Output, Failure> + Send>;

/// One piece of work, whose outcome settles a promise.
pub struct Work<Output> {
    run: Option<Run<Output>>,
}

/// Starts the work on the pool; what it returns or fails with settles the promise that JavaScript gets.
pub fn start<Output>(run: impl FnOnce() -> Result<Output, Failure> + Send + 'static) -> AsyncTask<Work<Output>>
where
    Output: Send + ToNapiValue + TypeName + 'static,
{
    AsyncTask::new(Work {
        run: Some(Box::new(run)),
    })
}

impl<Output: Send + ToNapiValue + TypeName + 'static> Task for Work<Output> {
    type Output = Output;
    type JsValue = Output;

    fn compute(&mut self) -> napi::Result<Output> {
        let run = self.run.take().ok_or_else(Failure::panicked)?;
        let outcome = catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|_| Err(Failure::panicked()));
        Ok(outcome?)
    }

    fn resolve(&mut self, _env: Env, output: Output) -> napi::Result<Output> {
        Ok(output)
    }
}
