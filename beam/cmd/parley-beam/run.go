package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/apache/beam/sdks/v2/go/pkg/beam"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/metrics"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/core/runtime/metricsx"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/log"
	jobpb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/jobmanagement_v1"
	pipepb "github.com/apache/beam/sdks/v2/go/pkg/beam/model/pipeline_v1"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/options/jobopts"
	"github.com/apache/beam/sdks/v2/go/pkg/beam/runners"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/flink"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/spark"
	_ "github.com/apache/beam/sdks/v2/go/pkg/beam/runners/universal"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/parley-nlp/parley/internal/score"

	"github.com/parley-nlp/parley/beam/internal/work"
)

// runFlags say how a job is watched. How it is run is what Beam's flags say.
type runFlags struct {
	Stall    *time.Duration `placeholder:"DURATION" help:"Cancel the job when its counters stand still for so long, as when workers do not start; 0 for never. Default: 10m; never with flink, spark and dataflow, which look after workers themselves."`
	Progress string         `enum:"plain,none" default:"plain" help:"Say every few seconds how many rows are done, on standard error: plain or none."`
	Verbose  bool           `help:"Pass on what Beam and its runner say."`
}

// runnerNames are the runners that the program was built with.
var runnerNames = []string{"prism", "PrismRunner", "flink", "FlinkRunner", "spark", "SparkRunner", "universal", "portable", "PortableRunner"}

// dialTime is how long a runner may take to answer.
const dialTime = 10 * time.Second

// errUnknown is part of the error when nobody knows whether workers of the job still
// write.
var errUnknown = errors.New("whether the job goes on is not known")

// run runs a pipeline on the runner that Beam's flags choose, until it has ended.
func (f *runFlags) run(e *env, p *beam.Pipeline, name string) (beam.PipelineResult, error) {
	runner := *runners.Runner
	switch {
	case runner == "":
		runner = "prism"
	case !slices.Contains(runnerNames, runner):
		return nil, usagef("--runner %s: want one of %s", runner, strings.Join(runnerNames, ", "))
	}
	inProcess := strings.HasPrefix(strings.ToLower(runner), "prism") && *jobopts.Endpoint == ""
	if *jobopts.Async && (inProcess || jobopts.IsLoopback()) {
		return nil, usagef("--async: the workers would end with this process")
	}
	quiet(f.Verbose)
	ctx, cancel := context.WithCancelCause(e.ctx)
	defer cancel(nil)
	if *jobopts.JobName == "" {
		*jobopts.JobName = "parley-beam"
	}
	*jobopts.JobName += "-" + name // runners list jobs of before, which must have other names
	switch {
	case inProcess:
		if err := startPrism(ctx); err != nil {
			return nil, err
		}
	case *jobopts.Endpoint != "": // Beam would wait, and say that time is up
		conn, err := (&net.Dialer{Timeout: dialTime}).DialContext(ctx, "tcp", *jobopts.Endpoint)
		if err != nil {
			return nil, fmt.Errorf("--endpoint %s: no runner is there: %w", *jobopts.Endpoint, err)
		}
		conn.Close()
	}
	if *jobopts.WorkerBinary == "" { // the default is to compile one
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		*jobopts.WorkerBinary = self
	}
	stop, err := f.watch(ctx, cancel, e, f.stall(runner))
	if err != nil {
		return nil, err
	}
	result, err := beam.Run(ctx, runner, p)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	if ended := stop(err != nil); !ended {
		err = fmt.Errorf("%w\n%w", err, errUnknown)
	}
	return result, err
}

// startPrism makes this process the runner of its job.
func startPrism(ctx context.Context) error {
	port, err := free(0)
	if err != nil {
		return err
	}
	if err := servePrism(ctx, port); err != nil {
		return err
	}
	*jobopts.Endpoint = fmt.Sprint("localhost:", port)
	if *jobopts.EnvironmentType == "" {
		*jobopts.EnvironmentType = "LOOPBACK"
	}
	return nil
}

// stall is after how long without progress a job on the runner is cancelled.
func (f *runFlags) stall(runner string) time.Duration {
	switch name := strings.ToLower(runner); {
	case f.Stall != nil:
		return *f.Stall
	case strings.HasPrefix(name, "flink"), strings.HasPrefix(name, "spark"): // may count at the end alone
		return 0
	}
	return 10 * time.Minute
}

// quiet leaves out what Beam says that is no warning.
func quiet(verbose bool) {
	if verbose {
		return
	}
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError + 1})))
	log.SetLogger(&log.Standard{Level: log.SevFatal})
}

// A watcher looks at a job from time to time.
type watcher struct {
	*runFlags
	env    *env
	client jobpb.JobServiceClient
	id     string
	absent bool // the runner has answered, and has no such job
	cancel context.CancelCauseFunc
	stall  time.Duration // 0: never

	counts  string // all of them, when they last changed
	changed time.Time
	said    time.Time
}

// watchEvery is the time between two looks.
const watchEvery = time.Second

// sayEvery is the time between two lines of progress.
const sayEvery = 5 * time.Second

// watch shows how the job with the name gets on, and ends it when it does not, or
// when ctx ends, until the function that it returns is called. Runners without a
// job server cannot be watched.
func (f *runFlags) watch(ctx context.Context, cancel context.CancelCauseFunc, e *env, stall time.Duration) (stop func(failed bool) (ended bool), err error) {
	if *jobopts.Endpoint == "" {
		dataflow := strings.HasPrefix(strings.ToLower(*runners.Runner), "dataflow") // others have not begun then
		return func(failed bool) bool { return !failed || !dataflow }, nil
	}
	conn, err := grpc.NewClient(*jobopts.Endpoint, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	now := time.Now()
	w := &watcher{runFlags: f, env: e, client: jobpb.NewJobServiceClient(conn), cancel: cancel, stall: stall, changed: now, said: now}
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		w.loop(ctx, quit)
	}()
	return func(failed bool) bool {
		defer conn.Close()
		close(quit)
		<-done
		return !failed || w.end()
	}, nil
}

func (w *watcher) loop(ctx context.Context, quit <-chan struct{}) {
	ticker := time.NewTicker(watchEvery)
	defer ticker.Stop()
	for {
		select {
		case <-quit:
			return
		case <-ctx.Done():
			w.end() // Beam waits for it
			return
		case <-ticker.C:
			w.look(ctx)
		}
	}
}

// endTime is how long the end of a job that is cancelled is waited for.
const endTime = 15 * time.Second

// end cancels the job, and reports whether it has ended.
func (w *watcher) end() bool {
	ctx, cancel := context.WithTimeout(context.Background(), endTime)
	defer cancel()
	if !w.find(ctx) {
		return w.absent
	}
	w.client.Cancel(ctx, &jobpb.CancelJobRequest{JobId: w.id}) // what comes of it is seen below
	for {
		state, err := w.client.GetState(ctx, &jobpb.GetJobStateRequest{JobId: w.id})
		switch {
		case err != nil:
			return false
		case slices.Contains(terminal, state.GetState()):
			return true
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// terminal are the states in which nothing of a job runs.
var terminal = []jobpb.JobState_Enum{
	jobpb.JobState_DONE, jobpb.JobState_FAILED, jobpb.JobState_CANCELLED, jobpb.JobState_DRAINED, jobpb.JobState_UPDATED,
}

// find finds the id of the job.
func (w *watcher) find(ctx context.Context) bool {
	if w.id != "" {
		return true
	}
	list, err := w.client.GetJobs(ctx, &jobpb.GetJobsRequest{})
	if err != nil {
		w.absent = false
		return false
	}
	for _, j := range list.GetJobInfo() {
		if j.GetJobName() == *jobopts.JobName {
			w.id = j.GetJobId()
		}
	}
	w.absent = w.id == ""
	return !w.absent
}

// look looks at the counters.
func (w *watcher) look(ctx context.Context) {
	now := time.Now()
	if w.find(ctx) {
		m, err := w.client.GetJobMetrics(ctx, &jobpb.GetJobMetricsRequest{JobId: w.id})
		if err == nil {
			w.show(now, m.GetMetrics().GetAttempted())
		}
	}
	if w.stall > 0 && now.Sub(w.changed) > w.stall {
		w.cancel(fmt.Errorf("the job has not got on for %s: have its workers started? (--stall)", w.stall))
	}
}

// show says how many rows are done, when it has not for a while.
func (w *watcher) show(now time.Time, infos []*pipepb.MonitoringInfo) {
	var all strings.Builder
	for _, m := range infos {
		fmt.Fprintf(&all, "%s %v %x\n", m.GetUrn(), m.GetLabels(), m.GetPayload())
	}
	if all.String() != w.counts {
		w.counts, w.changed = all.String(), now
	}
	if w.Progress == "none" || now.Sub(w.said) < sayEvery {
		return
	}
	w.said = now
	rows, errors := int64(0), int64(0)
	for name, n := range counters(metricsx.FromMonitoringInfos(&pipepb.Pipeline{}, infos, nil)) {
		switch {
		case name == "rows":
			rows = n
		case strings.HasPrefix(name, "errors: "):
			errors += n
		}
	}
	line := score.RowCount(rows)
	if errors > 0 {
		line += fmt.Sprintf(", %s errors", score.Thousands(errors))
	}
	fmt.Fprintf(w.env.stderr, "parley-beam: %s\n", line)
}

// counters are the job's own, by name.
func counters(r *metrics.Results) map[string]int64 {
	list := map[string]int64{}
	for _, c := range r.AllMetrics().Counters() {
		if c.Namespace() == work.Namespace {
			list[c.Name()] += c.Result()
		}
	}
	return list
}

// reason is what an error of a job comes from, without what Beam puts around it.
func reason(err error) string {
	text := err.Error()
	for _, before := range []string{"caused by:\n", " failed:\n"} {
		if at := strings.LastIndex(text, before); at >= 0 {
			text = text[at+len(before):]
		}
	}
	lines := slices.Compact(strings.Split(strings.TrimSpace(text), "\n")) // it says so more than once
	return strings.Join(lines, "\n")
}
