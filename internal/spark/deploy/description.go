package deploy

import "github.com/meseta/meseta/internal/spark/serial"

// ApplicationDescription is what an application wants of a cluster.
type ApplicationDescription struct {
	Name                 string          `java:"name"`
	MaxCores             *int            `java:"maxCores"` // spark.cores.max
	Command              Command         `java:"command"`  // of an executor
	AppUI                string          `java:"appUiUrl"`
	DefaultProfile       ResourceProfile `java:"defaultProfile"`
	EventLogDir          *URI            `java:"eventLogDir"`
	EventLogCodec        *string         `java:"eventLogCodec"`
	InitialExecutorLimit *int            `java:"initialExecutorLimit"`
	User                 string          `java:"user"`

	// Origin is the description as the driver sent it. If it is there, it is what a Worker of the same
	// build gets: it may hold more than we know of.
	Origin *serial.Object
}

// Command is how to start an executor or a driver.
type Command struct {
	MainClass          string            `java:"mainClass"`
	Arguments          []string          `java:"arguments"`
	Environment        map[string]string `java:"environment"`
	ClassPathEntries   []string          `java:"classPathEntries"`
	LibraryPathEntries []string          `java:"libraryPathEntries"`
	JavaOpts           []string          `java:"javaOpts"`
}

// DriverDescription is what a driver that runs on the cluster wants of it.
type DriverDescription struct {
	JarURL       string                `java:"jarUrl"`
	Memory       int                   `java:"mem"` // MiB
	Cores        int                   `java:"cores"`
	Supervise    bool                  `java:"supervise"`
	Command      Command               `java:"command"`
	ResourceReqs []ResourceRequirement `java:"resourceReqs"`
}

// ExecutorDescription is what a Master needs to know of an executor that it finds on a Worker.
type ExecutorDescription struct {
	AppID  string        `java:"appId"`
	ExecID int           `java:"execId"`
	RPID   int           `java:"rpId"`
	Cores  int           `java:"cores"`
	Memory int           `java:"memoryMb"`
	State  ExecutorState `java:"state"`
}

// Resource is a custom resource, as GPUs, by its addresses.
type Resource struct {
	Name      string   `java:"name"`
	Addresses []string `java:"addresses"`
}

// ResourceRequirement is how much of a custom resource a driver wants.
type ResourceRequirement struct {
	ResourceName string `java:"resourceName"`
	Amount       int    `java:"amount"`
	NumParts     int    `java:"numParts"`
}

// ResourceProfile is what executors and tasks of one kind want. 0 is the id of the default one.
type ResourceProfile struct {
	ID        int                                `java:"_id"`
	Executors map[string]ExecutorResourceRequest `java:"executorResources"`
	Tasks     map[string]TaskResourceRequest     `java:"taskResources"`
}

// The executor resources that are not custom.
const (
	ResourceCores    = "cores"
	ResourceMemory   = "memory" // MiB
	ResourceOverhead = "memoryOverhead"
	ResourcePython   = "pyspark.memory"
	ResourceOffHeap  = "offHeap"
)

// ExecutorResourceRequest is how much of a resource an executor wants.
type ExecutorResourceRequest struct {
	ResourceName    string `java:"resourceName"`
	Amount          int64  `java:"amount"`
	DiscoveryScript string `java:"discoveryScript"`
	Vendor          string `java:"vendor"`
}

// TaskResourceRequest is how much of a resource a task wants.
type TaskResourceRequest struct {
	ResourceName string  `java:"resourceName"`
	Amount       float64 `java:"amount"`
}

func (ApplicationDescription) class() string {
	return "org.apache.spark.deploy.ApplicationDescription"
}
func (Command) class() string             { return "org.apache.spark.deploy.Command" }
func (DriverDescription) class() string   { return "org.apache.spark.deploy.DriverDescription" }
func (ExecutorDescription) class() string { return "org.apache.spark.deploy.ExecutorDescription" }
func (Resource) class() string            { return "org.apache.spark.resource.ResourceInformation" }
func (ResourceRequirement) class() string { return "org.apache.spark.resource.ResourceRequirement" }
func (ResourceProfile) class() string     { return "org.apache.spark.resource.ResourceProfile" }
func (ExecutorResourceRequest) class() string {
	return "org.apache.spark.resource.ExecutorResourceRequest"
}
func (TaskResourceRequest) class() string { return "org.apache.spark.resource.TaskResourceRequest" }
