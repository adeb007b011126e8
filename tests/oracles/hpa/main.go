// Command hpa replays scenarios through the HorizontalPodAutoscaler controller of
// k8s.io/kubernetes. It reads one scenario per line (JSON) from standard input and
// writes one answer per line to standard output.
//
// Nothing of the controller is imitated: NewHorizontalController is built with fake
// API clients and run with Run(), so its work queue, its rate limiter, its informer
// resync, its metrics client and its replica calculator are the real ones. Time is
// the virtual clock of testing/synctest: inside a bubble time.Now() moves only when
// every goroutine waits, so half an hour of 15 s syncs takes milliseconds and every
// run gives the same answer. synctest wants a *testing.T, which testing.Main gives to an ordinary program.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes/fake"
	scalefake "k8s.io/client-go/scale/fake"
	core "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	cmapi "k8s.io/metrics/pkg/apis/custom_metrics/v1beta2"
	emapi "k8s.io/metrics/pkg/apis/external_metrics/v1beta1"
	metricsapi "k8s.io/metrics/pkg/apis/metrics/v1beta1"
	metricsfake "k8s.io/metrics/pkg/client/clientset/versioned/fake"
	cmfake "k8s.io/metrics/pkg/client/custom_metrics/fake"
	emfake "k8s.io/metrics/pkg/client/external_metrics/fake"

	"github.com/go-logr/logr"

	"k8s.io/kubernetes/pkg/api/legacyscheme"
	"k8s.io/kubernetes/pkg/apis/autoscaling"
	_ "k8s.io/kubernetes/pkg/apis/autoscaling/install"
	"k8s.io/kubernetes/pkg/apis/autoscaling/validation"
	"k8s.io/kubernetes/pkg/controller/podautoscaler"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/metrics"
	"k8s.io/kubernetes/pkg/controller/podautoscaler/monitor"
)

const (
	namespace = "oracle"
	hpaName   = "hpa"
	target    = "web"
	sample    = 15 * time.Second // distance of two samples of a scenario's load
)

// release is the version of Kubernetes, which the linker is told.
var release string

var podLabels = map[string]string{"app": target}

// Scenario is one line of the input. README.md says what each field means.
type Scenario struct {
	ID         int             `json:"id"`
	Controller Controller      `json:"controller"`
	HPA        json.RawMessage `json:"hpa"` // HorizontalPodAutoscalerSpec, autoscaling/v2
	Workload   Workload        `json:"workload"`
	Steps      int             `json:"steps"`
	Load       Load            `json:"load"`
	Overrides  []Override      `json:"overrides"`
	Edits      []Edit          `json:"edits"`
}

type Controller struct {
	Tolerance                      float64 `json:"tolerance"`
	DownscaleStabilizationSeconds  int     `json:"downscaleStabilizationSeconds"`
	CPUInitializationPeriodSeconds int     `json:"cpuInitializationPeriodSeconds"`
	InitialReadinessDelaySeconds   int     `json:"initialReadinessDelaySeconds"`
	SyncPeriodSeconds              int     `json:"syncPeriodSeconds"`
	MetricLatencyMs                int     `json:"metricLatencyMs"`
}

type Container struct {
	Name     string            `json:"name"`
	Requests map[string]string `json:"requests"`
	Share    map[string]int64  `json:"share"`   // percent of the pod's usage, per resource
	Sidecar  bool              `json:"sidecar"` // restartable init container
}

type Workload struct {
	Replicas    int32             `json:"replicas"`
	Containers  []Container       `json:"containers"`
	PodRequests map[string]string `json:"podRequests"`
	CreateDelay int64             `json:"createDelay"`
	Pending     int64             `json:"pending"`
	Ready       int64             `json:"ready"`
	Metrics     int64             `json:"metrics"`
	Terminate   int64             `json:"terminate"`
	MetricLag   int64             `json:"metricLag"`
	Window      int64             `json:"window"`
}

type Series struct {
	Total []*int64 `json:"total"`
	Idle  int64    `json:"idle"`
	Burn  int64    `json:"burn"`
	Skew  []int64  `json:"skew"`
}

type Load struct {
	Resource map[string]Series    `json:"resource"` // cpu: nanocores, memory: bytes
	Pods     map[string]Series    `json:"pods"`     // milli-units
	Object   map[string][]*int64  `json:"object"`   // milli-units
	External map[string][][]int64 `json:"external"` // milli-units, several series
}

type Override struct {
	From int    `json:"from"`
	To   int    `json:"to"`
	Pods []int  `json:"pods"`
	Set  string `json:"set"`
}

type Edit struct {
	At       int64           `json:"at"`
	Replicas *int32          `json:"replicas"`
	HPA      json.RawMessage `json:"hpa"`
}

// Step is what one reconciliation saw and decided.
type Step struct {
	T        int64       `json:"t"`      // ms since the first reconciliation
	Spec     int32       `json:"spec"`   // scale.spec.replicas at its start
	Status   int32       `json:"status"` // scale.status.replicas at its start
	Pods     [4]int      `json:"pods"`   // listed, ready, pending, terminating
	Proposed *int32      `json:"proposed"`
	Metric   string      `json:"metric"`
	Desired  int32       `json:"desired"` // scale.spec.replicas after it
	Reason   string      `json:"reason"`  // of a rescale
	Able     string      `json:"able"`
	Active   string      `json:"active"`
	Limited  string      `json:"limited"`
	Zero     string      `json:"zero"`
	Current  [][3]*int64 `json:"current"` // per metric: utilization %, averageValue milli, value milli
}

type Answer struct {
	ID    int    `json:"id"`
	Error string `json:"error,omitempty"`
	Steps []Step `json:"steps,omitempty"`
}

type pod struct {
	ordinal int
	created time.Duration // since the origin
	deleted time.Duration // < 0: not deleted
}

type world struct {
	mu      sync.Mutex
	sc      *Scenario
	started bool
	origin  time.Time
	pods    []*pod
	next    int
	scale   int32
	client  *fake.Clientset
	indexer cache.Indexer
	steps   []Step
	open    bool // a step waits for its conditions
	limit   time.Duration
	now     time.Duration // of the step that is open
	seen    []*corev1.Pod // as the step that is open saw them
	err     error
}

func secs(n int64) time.Duration { return time.Duration(n) * time.Second }

// resize makes the pods follow a new value of spec.replicas at time u.
func (w *world) resize(n int32, u time.Duration) {
	w.scale = n
	var alive []*pod
	for _, p := range w.pods {
		if p.deleted < 0 {
			alive = append(alive, p)
		}
	}
	for i := len(alive); i < int(n); i++ {
		w.pods = append(w.pods, &pod{ordinal: w.next, created: u + secs(w.sc.Workload.CreateDelay), deleted: -1})
		w.next++
	}
	for i := len(alive) - 1; i >= int(n); i-- {
		alive[i].deleted = u
	}
}

func (w *world) sampleIndex(now time.Duration) int {
	i := int(now / sample)
	if i >= w.sc.Steps {
		i = w.sc.Steps - 1
	}
	return i
}

func (w *world) overrides(p *pod, i int) map[string]Override {
	found := map[string]Override{}
	for _, o := range w.sc.Overrides {
		for _, n := range o.Pods {
			if n == p.ordinal && o.From <= i && i < o.To {
				found[o.Set] = o
			}
		}
	}
	return found
}

func (w *world) at(d time.Duration) metav1.Time {
	return metav1.NewTime(w.origin.Add(d.Truncate(time.Second)))
}

// build makes the pod objects of one moment; nil: the pod does not exist then.
func (w *world) build(p *pod, now time.Duration) *corev1.Pod {
	wl := w.sc.Workload
	if now < p.created {
		return nil
	}
	if p.deleted >= 0 && now >= p.deleted+secs(wl.Terminate) {
		return nil
	}
	set := w.overrides(p, w.sampleIndex(now))
	obj := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("%s-%d", target, p.ordinal), Namespace: namespace, Labels: podLabels},
	}
	for _, c := range wl.Containers {
		cc := corev1.Container{Name: c.Name, Resources: corev1.ResourceRequirements{Requests: requests(c.Requests)}}
		if c.Sidecar {
			always := corev1.ContainerRestartPolicyAlways
			cc.RestartPolicy = &always
			obj.Spec.InitContainers = append(obj.Spec.InitContainers, cc)
		} else {
			obj.Spec.Containers = append(obj.Spec.Containers, cc)
		}
	}
	if wl.PodRequests != nil {
		obj.Spec.Resources = &corev1.ResourceRequirements{Requests: requests(wl.PodRequests)}
	}
	if p.deleted >= 0 {
		d := w.at(p.deleted)
		obj.DeletionTimestamp = &d
	}
	if _, ok := set["terminating"]; ok && obj.DeletionTimestamp == nil {
		d := w.at(now)
		obj.DeletionTimestamp = &d
	}
	_, pending := set["pending"]
	start := p.created + secs(wl.Pending)
	if now < start || pending {
		obj.Status.Phase = corev1.PodPending
		return obj
	}
	obj.Status.Phase = corev1.PodRunning
	if _, ok := set["failed"]; ok {
		obj.Status.Phase = corev1.PodFailed
	}
	if _, ok := set["succeeded"]; ok {
		obj.Status.Phase = corev1.PodSucceeded
	}
	if _, ok := set["noStartTime"]; !ok {
		s := w.at(start)
		obj.Status.StartTime = &s
	}
	condition := corev1.PodCondition{Type: corev1.PodReady, Status: corev1.ConditionFalse, LastTransitionTime: w.at(start)}
	if now >= start+secs(wl.Ready) {
		condition.Status = corev1.ConditionTrue
		condition.LastTransitionTime = w.at(start + secs(wl.Ready))
	}
	// A spell of unreadiness: False from its first sample on, True again from its end.
	for _, o := range w.sc.Overrides {
		if o.Set != "notReady" || condition.Status != corev1.ConditionTrue {
			continue
		}
		for _, n := range o.Pods {
			if n != p.ordinal {
				continue
			}
			from, to := time.Duration(o.From)*sample, time.Duration(o.To)*sample
			i := w.sampleIndex(now)
			if o.From <= i && i < o.To {
				condition.Status = corev1.ConditionFalse
				condition.LastTransitionTime = w.at(from)
			} else if i >= o.To && to > start+secs(wl.Ready) {
				condition.LastTransitionTime = w.at(to)
			}
		}
	}
	if _, ok := set["readyUnknown"]; ok {
		condition.Status = corev1.ConditionUnknown
	}
	if _, ok := set["noReadyCondition"]; !ok {
		obj.Status.Conditions = append(obj.Status.Conditions, condition)
	}
	return obj
}

func requests(in map[string]string) corev1.ResourceList {
	out := corev1.ResourceList{}
	for k, v := range in {
		out[corev1.ResourceName(k)] = resource.MustParse(v)
	}
	return out
}

func ready(p *corev1.Pod) bool {
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
			return true
		}
	}
	return false
}

func serving(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodRunning && p.DeletionTimestamp == nil && ready(p)
}

// begin opens a step: it fixes what the controller sees from now on.
func (w *world) begin() *autoscalingv1.Scale {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.started {
		w.started = true
		w.origin = time.Now()
		for i := int32(0); i < w.sc.Workload.Replicas; i++ {
			w.pods = append(w.pods, &pod{ordinal: w.next, created: -2 * time.Hour, deleted: -1})
			w.next++
		}
		w.scale = w.sc.Workload.Replicas
	}
	w.finish()
	w.now = time.Since(w.origin)
	w.seen = nil
	step := Step{T: w.now.Milliseconds(), Spec: w.scale, Desired: w.scale}
	var objects []interface{}
	for _, p := range w.pods {
		obj := w.build(p, w.now)
		if obj == nil {
			continue
		}
		objects = append(objects, obj)
		w.seen = append(w.seen, obj)
		step.Pods[0]++
		if ready(obj) && obj.Status.Phase == corev1.PodRunning {
			step.Pods[1]++
		}
		if obj.Status.Phase == corev1.PodPending {
			step.Pods[2]++
		}
		if obj.DeletionTimestamp != nil {
			step.Pods[3]++
		} else if obj.Status.Phase != corev1.PodFailed && obj.Status.Phase != corev1.PodSucceeded {
			step.Status++
		}
	}
	if err := w.indexer.Replace(objects, ""); err != nil {
		w.err = err
	}
	if w.now < w.limit {
		w.steps = append(w.steps, step)
		w.open = true
	}
	return &autoscalingv1.Scale{
		ObjectMeta: metav1.ObjectMeta{Name: target, Namespace: namespace},
		Spec:       autoscalingv1.ScaleSpec{Replicas: w.scale},
		Status:     autoscalingv1.ScaleStatus{Replicas: step.Status, Selector: "app=" + target},
	}
}

// finish closes the open step with what the controller wrote into the status.
func (w *world) finish() {
	if !w.open {
		return
	}
	w.open = false
	step := &w.steps[len(w.steps)-1]
	hpa, err := w.client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Get(context.Background(), hpaName, metav1.GetOptions{})
	if err != nil {
		w.err = err
		return
	}
	for _, c := range hpa.Status.Conditions {
		text := string(c.Status) + " " + c.Reason
		switch c.Type {
		case autoscalingv2.AbleToScale:
			step.Able = text
		case autoscalingv2.ScalingActive:
			step.Active = text
		case autoscalingv2.ScalingLimited:
			step.Limited = text
		case autoscalingv2.ScaledToZero:
			step.Zero = text
		}
	}
	for _, m := range hpa.Status.CurrentMetrics {
		var v *autoscalingv2.MetricValueStatus
		switch {
		case m.Resource != nil:
			v = &m.Resource.Current
		case m.ContainerResource != nil:
			v = &m.ContainerResource.Current
		case m.Pods != nil:
			v = &m.Pods.Current
		case m.Object != nil:
			v = &m.Object.Current
		case m.External != nil:
			v = &m.External.Current
		}
		var row [3]*int64
		if v != nil {
			if v.AverageUtilization != nil {
				n := int64(*v.AverageUtilization)
				row[0] = &n
			}
			row[1], row[2] = milli(v.AverageValue), milli(v.Value)
		}
		step.Current = append(step.Current, row)
	}
}

func milli(q *resource.Quantity) *int64 {
	if q == nil {
		return nil
	}
	n := q.MilliValue()
	return &n
}

// note takes the two log lines that carry what the status does not.
func (w *world) note(msg string, kv map[string]interface{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.open {
		return
	}
	step := &w.steps[len(w.steps)-1]
	switch msg {
	case "Proposing desired replicas", "Proposing desired replicas from zero":
		if n, ok := kv["desiredReplicas"].(int32); ok {
			step.Proposed = &n
		}
		step.Metric, _ = kv["metric"].(string)
	case "Successfully rescaled":
		step.Reason, _ = kv["reason"].(string)
	}
}

func (w *world) value(s Series, ordinal int, isServing, isReady bool, servers int64, i int) (int64, bool) {
	total := s.Total[i]
	if total == nil {
		return 0, false
	}
	v := s.Idle
	if isServing && servers > 0 {
		share := *total / servers
		if len(s.Skew) > 0 {
			share = share * s.Skew[ordinal%len(s.Skew)] / 100
		}
		v += share
	}
	if !isReady {
		v += s.Burn
	}
	return v, true
}

func (w *world) wait() {
	if ms := w.sc.Controller.MetricLatencyMs; ms > 0 {
		time.Sleep(time.Duration(ms) * time.Millisecond)
	}
}

// measured calls fn for every pod that has metrics at the open step.
func (w *world) measured(fn func(obj *corev1.Pod, ordinal int, set map[string]Override, servers int64, i int, stamp time.Time)) {
	i := w.sampleIndex(w.now)
	var servers int64
	for _, obj := range w.seen {
		if serving(obj) {
			servers++
		}
	}
	lagged := w.now - secs(w.sc.Workload.MetricLag)
	stamp := w.origin.Add(floor(lagged, sample))
	byName := map[string]*pod{}
	for _, p := range w.pods {
		byName[fmt.Sprintf("%s-%d", target, p.ordinal)] = p
	}
	for _, obj := range w.seen {
		p := byName[obj.Name]
		set := w.overrides(p, i)
		if _, ok := set["noMetrics"]; ok {
			continue
		}
		start := p.created + secs(w.sc.Workload.Pending)
		if obj.Status.Phase != corev1.PodRunning || w.now < start+secs(w.sc.Workload.Metrics) {
			continue
		}
		fn(obj, p.ordinal, set, servers, i, stamp)
	}
}

func floor(d, unit time.Duration) time.Duration {
	q := d / unit
	if d < 0 && d%unit != 0 {
		q--
	}
	return q * unit
}

func (w *world) resourceMetrics() (runtime.Object, error) {
	w.wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	list := &metricsapi.PodMetricsList{}
	w.measured(func(obj *corev1.Pod, ordinal int, set map[string]Override, servers int64, i int, stamp time.Time) {
		m := metricsapi.PodMetrics{
			ObjectMeta: metav1.ObjectMeta{Name: obj.Name, Namespace: namespace, Labels: podLabels},
			Timestamp:  metav1.NewTime(stamp),
			Window:     metav1.Duration{Duration: secs(w.sc.Workload.Window)},
		}
		usage := map[string]int64{}
		for name, s := range w.sc.Load.Resource {
			if v, ok := w.value(s, ordinal, serving(obj), ready(obj), servers, i); ok {
				usage[name] = v
			}
		}
		for n, c := range w.sc.Workload.Containers {
			if _, ok := set["noContainer"]; ok && n == 0 {
				continue
			}
			cm := metricsapi.ContainerMetrics{Name: c.Name, Usage: corev1.ResourceList{}}
			for name, v := range usage {
				share, ok := c.Share[name]
				if !ok {
					share = 100 / int64(len(w.sc.Workload.Containers))
				}
				part := v * share / 100
				if name == "cpu" {
					cm.Usage[corev1.ResourceName(name)] = *resource.NewScaledQuantity(part, resource.Nano)
				} else {
					cm.Usage[corev1.ResourceName(name)] = *resource.NewQuantity(part, resource.BinarySI)
				}
			}
			m.Containers = append(m.Containers, cm)
		}
		list.Items = append(list.Items, m)
	})
	return list, nil
}

func (w *world) customMetrics(name string, forPods bool, object string) (runtime.Object, error) {
	w.wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	list := &cmapi.MetricValueList{}
	if !forPods {
		v := w.sc.Load.Object[name]
		i := w.sampleIndex(w.now)
		if i >= len(v) || v[i] == nil {
			return nil, fmt.Errorf("metric %s is not there", name)
		}
		list.Items = append(list.Items, cmapi.MetricValue{
			DescribedObject: corev1.ObjectReference{Name: object, Namespace: namespace},
			Timestamp:       metav1.NewTime(w.origin.Add(floor(w.now, sample))),
			Metric:          cmapi.MetricIdentifier{Name: name},
			Value:           *resource.NewMilliQuantity(*v[i], resource.DecimalSI),
		})
		return list, nil
	}
	s, ok := w.sc.Load.Pods[name]
	if !ok {
		return nil, fmt.Errorf("metric %s is not there", name)
	}
	w.measured(func(obj *corev1.Pod, ordinal int, _ map[string]Override, servers int64, i int, stamp time.Time) {
		v, ok := w.value(s, ordinal, serving(obj), ready(obj), servers, i)
		if !ok {
			return
		}
		list.Items = append(list.Items, cmapi.MetricValue{
			DescribedObject: corev1.ObjectReference{Kind: "Pod", Name: obj.Name, Namespace: namespace},
			Timestamp:       metav1.NewTime(stamp),
			Metric:          cmapi.MetricIdentifier{Name: name},
			Value:           *resource.NewMilliQuantity(v, resource.DecimalSI),
		})
	})
	return list, nil
}

func (w *world) externalMetrics(name string) (runtime.Object, error) {
	w.wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	v := w.sc.Load.External[name]
	i := w.sampleIndex(w.now)
	if i >= len(v) || v[i] == nil {
		return nil, fmt.Errorf("metric %s is not there", name)
	}
	list := &emapi.ExternalMetricValueList{}
	for _, x := range v[i] {
		list.Items = append(list.Items, emapi.ExternalMetricValue{
			MetricName: name,
			Timestamp:  metav1.NewTime(w.origin.Add(floor(w.now, sample))),
			Value:      *resource.NewMilliQuantity(x, resource.DecimalSI),
		})
	}
	return list, nil
}

// object decodes, defaults and validates a spec as the API server would.
func object(spec json.RawMessage, generation int64) (*autoscalingv2.HorizontalPodAutoscaler, error) {
	hpa := &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: metav1.ObjectMeta{Name: hpaName, Namespace: namespace, Generation: generation, UID: "1"},
	}
	if err := json.Unmarshal(spec, &hpa.Spec); err != nil {
		return nil, err
	}
	legacyscheme.Scheme.Default(hpa)
	internal := &autoscaling.HorizontalPodAutoscaler{}
	if err := legacyscheme.Scheme.Convert(hpa, internal, nil); err != nil {
		return nil, err
	}
	errs := validation.ValidateHorizontalPodAutoscaler(internal, validation.HorizontalPodAutoscalerSpecValidationOptions{
		MinReplicasLowerBound:          0,
		ObjectMetricsValidationOptions: validation.CrossVersionObjectReferenceValidationOptions{AllowEmptyAPIGroup: true},
	})
	return hpa, errs.ToAggregate()
}

type sink struct{ w *world }

func (sink) Init(logr.RuntimeInfo)                    {}
func (sink) Enabled(level int) bool                   { return level <= 4 }
func (sink) Error(error, string, ...interface{})      {}
func (s sink) WithValues(...interface{}) logr.LogSink { return s }
func (s sink) WithName(string) logr.LogSink           { return s }
func (s sink) Info(_ int, msg string, kv ...interface{}) {
	m := map[string]interface{}{}
	for i := 0; i+1 < len(kv); i += 2 {
		if k, ok := kv[i].(string); ok {
			m[k] = kv[i+1]
		}
	}
	s.w.note(msg, m)
}

func replay(sc *Scenario) Answer {
	hpa, err := object(sc.HPA, 1)
	if err != nil {
		return Answer{ID: sc.ID, Error: err.Error()}
	}
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), klog.Background()))
	w := &world{sc: sc, limit: time.Duration(sc.Steps) * sample}
	ctx = klog.NewContext(ctx, logr.New(sink{w}))
	w.client = fake.NewSimpleClientset(hpa)
	events := &fake.Clientset{}
	events.AddReactor("*", "events", func(a core.Action) (bool, runtime.Object, error) {
		if c, ok := a.(core.CreateAction); ok {
			return true, c.GetObject(), nil
		}
		return true, &corev1.Event{}, nil
	})
	scales := &scalefake.FakeScaleClient{}
	scales.AddReactor("get", "deployments", func(core.Action) (bool, runtime.Object, error) {
		return true, w.begin(), nil
	})
	scales.AddReactor("update", "deployments", func(a core.Action) (bool, runtime.Object, error) {
		obj := a.(core.UpdateAction).GetObject().(*autoscalingv1.Scale)
		w.mu.Lock()
		defer w.mu.Unlock()
		w.resize(obj.Spec.Replicas, time.Since(w.origin))
		if w.open {
			w.steps[len(w.steps)-1].Desired = obj.Spec.Replicas
		}
		return true, obj, nil
	})
	resources := &metricsfake.Clientset{}
	resources.AddReactor("list", "pods", func(core.Action) (bool, runtime.Object, error) {
		obj, err := w.resourceMetrics()
		return true, obj, err
	})
	custom := &cmfake.FakeCustomMetricsClient{}
	custom.AddReactor("get", "*", func(a core.Action) (bool, runtime.Object, error) {
		g := a.(cmfake.GetForAction)
		obj, err := w.customMetrics(g.GetMetricName(), g.GetName() == "*", g.GetName())
		return true, obj, err
	})
	external := &emfake.FakeExternalMetricsClient{}
	external.AddReactor("list", "*", func(a core.Action) (bool, runtime.Object, error) {
		obj, err := w.externalMetrics(a.GetResource().Resource)
		return true, obj, err
	})
	mapper := apimeta.NewDefaultRESTMapper([]schema.GroupVersion{{Group: "apps", Version: "v1"}})
	mapper.Add(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"}, apimeta.RESTScopeNamespace)

	// As in the controller manager: a long resync of the factory, which the HPA informer lowers
	// to the sync period for its own handler.
	factory := informers.NewSharedInformerFactory(w.client, 12*time.Hour)
	podInformer := factory.Core().V1().Pods()
	w.indexer = podInformer.Informer().GetIndexer()
	period := secs(int64(sc.Controller.SyncPeriodSeconds))
	c := podautoscaler.NewHorizontalController(ctx, events.CoreV1(), scales, w.client.AutoscalingV2(), mapper,
		metrics.NewRESTMetricsClient(resources.MetricsV1beta1(), custom, external),
		factory.Autoscaling().V2().HorizontalPodAutoscalers(), podInformer, period,
		secs(int64(sc.Controller.DownscaleStabilizationSeconds)), sc.Controller.Tolerance,
		secs(int64(sc.Controller.CPUInitializationPeriodSeconds)), secs(int64(sc.Controller.InitialReadinessDelaySeconds)))
	factory.Start(ctx.Done())
	factory.WaitForCacheSync(ctx.Done())
	done := make(chan struct{})
	go func() { defer close(done); c.Run(ctx, 1) }()

	// Wait for the first reconciliation, then make the edits of the scenario in time.
	for !func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.started }() {
		time.Sleep(time.Millisecond)
	}
	sort.SliceStable(sc.Edits, func(i, j int) bool { return sc.Edits[i].At < sc.Edits[j].At })
	generation := int64(1)
	for _, e := range sc.Edits {
		time.Sleep(time.Until(w.origin.Add(secs(e.At))))
		if e.Replicas != nil {
			w.mu.Lock()
			w.resize(*e.Replicas, time.Since(w.origin))
			w.mu.Unlock()
		}
		if e.HPA != nil {
			generation++
			fresh, err := object(e.HPA, generation)
			if err != nil {
				w.err = err
				break
			}
			old, err := w.client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Get(ctx, hpaName, metav1.GetOptions{})
			if err != nil {
				w.err = err
				break
			}
			fresh.Status = old.Status
			if _, err := w.client.AutoscalingV2().HorizontalPodAutoscalers(namespace).Update(ctx, fresh, metav1.UpdateOptions{}); err != nil {
				w.err = err
				break
			}
		}
	}
	time.Sleep(time.Until(w.origin.Add(w.limit)))
	synctest.Wait()
	cancel()
	<-done
	factory.Shutdown()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.finish()
	if w.err != nil {
		return Answer{ID: sc.ID, Error: w.err.Error()}
	}
	return Answer{ID: sc.ID, Steps: w.steps}
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == "--version" {
		fmt.Println(release)
		return
	}
	klog.SetLogger(logr.Discard())
	klog.SetOutput(io.Discard)
	// The default handlers sleep when two errors come close together, on a clock that starts
	// again with every bubble.
	utilruntime.ErrorHandlers = []utilruntime.ErrorHandler{}
	monitor.Register()

	out := bufio.NewWriter(os.Stdout)
	os.Stdout = os.Stderr // testing.Main prints PASS
	all := func(t *testing.T) {
		in := bufio.NewScanner(os.Stdin)
		in.Buffer(make([]byte, 1<<20), 1<<28)
		for in.Scan() {
			sc := &Scenario{}
			if err := json.Unmarshal(in.Bytes(), sc); err != nil {
				t.Fatal(err)
			}
			answer := Answer{ID: sc.ID, Error: "did not finish"}
			synctest.Test(t, func(t *testing.T) { answer = replay(sc) })
			line, err := json.Marshal(answer)
			if err != nil {
				t.Fatal(err)
			}
			out.Write(line)
			out.WriteByte('\n')
			out.Flush()
		}
	}
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{{Name: "scenarios", F: all}}, nil, nil)
}
