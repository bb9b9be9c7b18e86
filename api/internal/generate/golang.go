package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/linker"
	"github.com/bufbuild/protocompile/protoutil"
	gengo "google.golang.org/protobuf/cmd/protoc-gen-go/internal_gengo"
	"google.golang.org/protobuf/compiler/protogen"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/pluginpb"
)

// generate compiles the named .proto files of dir and returns the Go files they become, by the path
// relative to dir.
func generate(ctx context.Context, dir string, protos []string) (map[string][]byte, error) {
	compiler := protocompile.Compiler{
		Resolver:       protocompile.WithStandardImports(&protocompile.SourceResolver{ImportPaths: []string{dir}}),
		SourceInfoMode: protocompile.SourceInfoStandard, // comments become Go comments
	}
	compiled, err := compiler.Compile(ctx, protos...)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}

	plugin, err := protogen.Options{}.New(request(protos, compiled))
	if err != nil {
		return nil, fmt.Errorf("generate Go: %w", err)
	}
	plugin.SupportedFeatures = gengo.SupportedFeatures
	plugin.SupportedEditionsMinimum = gengo.SupportedEditionsMinimum
	plugin.SupportedEditionsMaximum = gengo.SupportedEditionsMaximum
	for _, file := range plugin.Files {
		if file.Generate {
			gengo.GenerateFile(plugin, file)
		}
	}
	response := plugin.Response()
	if response.Error != nil {
		return nil, errors.New("generate Go: " + response.GetError())
	}

	files := make(map[string][]byte)
	for _, file := range response.File {
		files[file.GetName()] = []byte(file.GetContent())
	}
	for _, file := range plugin.Files {
		if name := file.GeneratedFilenamePrefix + ".pb.go"; file.Generate && hasPackageDoc(file) {
			files[name] = attachPackageDoc(files[name])
		}
	}
	return files, nil
}

// hasPackageDoc tells whether the comment on the file's package statement is meant as the Go package's.
func hasPackageDoc(file *protogen.File) bool {
	const packageField = 2 // of FileDescriptorProto
	location := file.Desc.SourceLocations().ByPath(protoreflect.SourcePath{packageField})
	return strings.HasPrefix(location.LeadingComments, " Package ")
}

// attachPackageDoc removes the blank line that protoc-gen-go leaves between the comment of the package
// statement and the Go package clause, and that would hide the comment from go doc.
func attachPackageDoc(code []byte) []byte {
	return bytes.Replace(code, []byte("\n\npackage "), []byte("\npackage "), 1)
}

// request is what protoc would send to its plugin: the files to generate and everything they import,
// each file after its imports.
func request(protos []string, compiled linker.Files) *pluginpb.CodeGeneratorRequest {
	req := &pluginpb.CodeGeneratorRequest{
		FileToGenerate: protos,
		Parameter:      proto.String("paths=source_relative"),
	}
	seen := make(map[string]bool)
	var add func(protoreflect.FileDescriptor)
	add = func(file protoreflect.FileDescriptor) {
		if seen[file.Path()] {
			return
		}
		seen[file.Path()] = true
		for imports, i := file.Imports(), 0; i < imports.Len(); i++ {
			add(imports.Get(i).FileDescriptor)
		}
		req.ProtoFile = append(req.ProtoFile, protoutil.ProtoFromFileDescriptor(file))
	}
	for _, file := range compiled {
		add(file)
	}
	return req
}
