"""The tasks of celery_run.py, and how Celery is tuned for them: as its guide on optimizing advises
for many short tasks that must not be lost. The environment says where the broker is.
"""

from celery import Celery

QUEUES = {"saver": "save", "restarter": "restart", "gatherer": "acks"}

app = Celery("celery_tasks")
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=128,
    worker_disable_rate_limits=True,
    task_routes={f"celery_tasks.{queue}": queue for queue in QUEUES.values()},
)


@app.task
def save(job, _payload):
    return job


@app.task
def restart(job, _payload):
    return job


@app.task
def acks(jobs):
    saved, restarted = jobs
    if saved != restarted:
        raise ValueError(jobs)
    return saved
