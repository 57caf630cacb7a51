// Checks a C2SP tlog-proof by torchwood's library.
//
// usage: tlog_proof KEY ENTRY PROOF
package main

import (
	"fmt"
	"os"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return value
}

func main() {
	key := must(note.NewVerifier(os.Args[1]))
	entry := must(os.ReadFile(os.Args[2]))
	proof := must(os.ReadFile(os.Args[3]))
	policy := torchwood.ThresholdPolicy(2, torchwood.OriginPolicy(key.Name()), torchwood.SingleVerifierPolicy(key))
	must(0, torchwood.VerifyProof(policy, tlog.RecordHash(entry), proof))
	fmt.Println("shown")
}
