package workerd

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/meseta/meseta/internal/spark/deploy"
)

// discoveryTimeout bounds a discovery script.
const discoveryTimeout = time.Minute

const resourcePrefix = "spark.worker.resource."

// resources finds the custom resources that the machine gives: spark.worker.resource.<name>.amount says
// how many, and the addresses come from spark.worker.resourcesFile or from a discovery script.
func (c Config) resources(ctx context.Context) (map[string]deploy.Resource, error) {
	found, err := readResources(c.Properties["spark.worker.resourcesFile"])
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(c.Properties)) {
		name, ok := strings.CutSuffix(strings.TrimPrefix(key, resourcePrefix), ".amount")
		if !ok || !strings.HasPrefix(key, resourcePrefix) {
			continue
		}
		amount, err := strconv.Atoi(c.Properties[key])
		if err != nil || amount < 0 {
			return nil, fmt.Errorf("%s=%s: expected a number", key, c.Properties[key])
		}
		if amount == 0 {
			delete(found, name)
			continue
		}
		r, ok := found[name]
		if !ok {
			if r, err = discover(ctx, name, c.Properties[resourcePrefix+name+".discoveryScript"]); err != nil {
				return nil, err
			}
		}
		if len(r.Addresses) < amount {
			return nil, fmt.Errorf("%s=%d, but only %d addresses of %s were found", key, amount, len(r.Addresses), name)
		}
		found[name] = deploy.Resource{Name: name, Addresses: r.Addresses[:amount]}
	}
	return found, nil
}

// allocation is how a file speaks of resources.
type allocation struct {
	ID struct {
		Component string `json:"componentName"`
		Resource  string `json:"resourceName"`
	} `json:"id"`
	Addresses []string `json:"addresses"`
}

func readResources(path string) (map[string]deploy.Resource, error) {
	found := make(map[string]deploy.Resource)
	if path == "" {
		return found, nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("spark.worker.resourcesFile: %w", err)
	}
	var all []allocation
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, fmt.Errorf("spark.worker.resourcesFile %s: %w", path, err)
	}
	for _, a := range all {
		if a.ID.Component == "spark.worker" {
			found[a.ID.Resource] = deploy.Resource{Name: a.ID.Resource, Addresses: a.Addresses}
		}
	}
	return found, nil
}

// discover runs a script that prints {"name": …, "addresses": […]}.
func discover(ctx context.Context, name, script string) (deploy.Resource, error) {
	if script == "" {
		return deploy.Resource{}, fmt.Errorf("resource %s: neither spark.worker.resourcesFile nor %s%s.discoveryScript says where it is", name, resourcePrefix, name)
	}
	ctx, cancel := context.WithTimeout(ctx, discoveryTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, script)
	cmd.WaitDelay = time.Second
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return deploy.Resource{}, fmt.Errorf("resource %s: %s: %w: %s", name, script, err, strings.TrimSpace(stderr.String()))
	}
	var r struct {
		Name      string   `json:"name"`
		Addresses []string `json:"addresses"`
	}
	if err := json.Unmarshal(out, &r); err != nil {
		return deploy.Resource{}, fmt.Errorf("resource %s: %s printed %q: %w", name, script, out, err)
	}
	if r.Name != name {
		return deploy.Resource{}, fmt.Errorf("resource %s: %s found %q", name, script, r.Name)
	}
	return deploy.Resource{Name: name, Addresses: r.Addresses}, nil
}
