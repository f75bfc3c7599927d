package e2e

import (
	"bufio"
	"bytes"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"
)

// TestValues_ReadByPython reads days with different columns, and values of several schema ids,
// with the deserializers of confluent-kafka: each cell is compared by value and type.
// VALUES_PYTHON is a Python with the packages of .ci/run.
func TestValues_ReadByPython(t *testing.T) {
	t.Parallel()
	python := os.Getenv("VALUES_PYTHON")
	if python == "" || os.Getenv("REGISTRY_TEST_URL") == "" {
		t.Skip("VALUES_PYTHON or REGISTRY_TEST_URL is not set; .ci/run sets both")
	}
	for _, format := range []string{"json-schema", "avro", "protobuf"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			registry := registryURL(t)
			b := newTyped(t, format, registry)
			b.runOnce(0)
			b.set("STREAM_EVENTS_COLUMNS", typedColumns+",df_os_version:string:os") // one more version
			b.runOnce(0)
			cmd := exec.CommandContext(t.Context(), python, "testdata/values/read.py", b.brokers, b.prefix+"events", registry, format)
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%v: %s", err, stderr.Bytes())
			}
			var got []map[string]string
			for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
				var cells map[string][2]string
				decode(t, lines.Bytes(), &cells)
				got = append(got, pythonCells(t, format, cells))
			}
			compareRows(t, newRows(b.servedTyped()...), newRows(got...))
		})
	}
}

// pythonCells returns the cells of a row in the form of servedTyped. A cell that has another type
// than its column gets the type's name as a prefix, so that it differs.
func pythonCells(t *testing.T, format string, cells map[string][2]string) map[string]string {
	t.Helper()
	row := map[string]string{}
	for name, cell := range cells {
		kind, text := cell[0], cell[1]
		switch name {
		case "df_server_datetime", "df_correction_datetime":
			if want := map[string]string{"json-schema": "str"}[format]; kind != want && kind != "datetime" {
				text = kind + " " + text
			}
			if at, err := time.Parse(time.RFC3339Nano, text); err == nil {
				text = at.UTC().Format(time.RFC3339Nano)
			}
		case "df_discount", "df_delivery_charge", "df_total_refund_amount":
			f, err := strconv.ParseFloat(text, 64)
			if text = fmt.Sprintf("%x", f); err != nil || kind != "float" {
				text = kind + " " + text
			}
		case "df_total_purchase_amount":
			r, ok := new(big.Rat).SetString(text)
			if want := map[string]string{"avro": "Decimal", "json-schema": "str", "protobuf": "str"}[format]; !ok || kind != want {
				t.Fatalf("%s is the %s %s", name, kind, text)
			}
			text = r.FloatString(2)
		default:
			if kind != "str" {
				text = kind + " " + text
			}
		}
		switch {
		case name == "df_app_version": // its field is app-version: Avro's property names the column
			name = "app-version"
		case name == "os":
			name = "df_os_version"
		}
		row[name] = text
	}
	return row
}
