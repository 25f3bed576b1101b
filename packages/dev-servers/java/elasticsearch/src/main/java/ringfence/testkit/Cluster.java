package ringfence.testkit;

import java.util.LinkedHashMap;
import java.util.Map;
import org.elasticsearch.ResourceNotFoundException;
import org.elasticsearch.cluster.ProjectState;
import org.elasticsearch.cluster.metadata.DataStream;
import org.elasticsearch.cluster.metadata.MetadataIndexTemplateService;
import org.elasticsearch.cluster.project.ProjectResolver;
import org.elasticsearch.cluster.service.ClusterService;
import org.elasticsearch.common.Strings;
import org.elasticsearch.common.regex.Regex;

/** Queries of the cluster's state, for the handlers. */
record Cluster(ClusterService service, ProjectResolver resolver) {
    ProjectState project() {
        return resolver.getProjectState(service.state());
    }

    /** @return null if there is none */
    static String templateOf(ProjectState project, String stream) {
        return MetadataIndexTemplateService.findV2Template(project.metadata(), stream, false);
    }

    /** Returns data streams by names and patterns. An unknown name is an error; an unmatched pattern is not. */
    static Map<String, DataStream> streams(ProjectState project, String expression) {
        Map<String, DataStream> all = project.metadata().dataStreams();
        Map<String, DataStream> found = new LinkedHashMap<>();
        for (String pattern : Strings.splitStringByCommaToArray(expression == null || expression.equals("_all") ? "*" : expression)) {
            if (!Regex.isSimpleMatchPattern(pattern) && !all.containsKey(pattern)) {
                throw new ResourceNotFoundException("no such index [" + pattern + "]");
            }
            all.forEach((name, stream) -> {
                if (Regex.simpleMatch(pattern, name)) found.put(name, stream);
            });
        }
        return found;
    }
}
