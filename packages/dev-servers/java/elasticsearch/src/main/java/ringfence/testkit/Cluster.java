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

/** What the handlers ask of the cluster's state. */
record Cluster(ClusterService service, ProjectResolver resolver) {
    ProjectState project() {
        return resolver.getProjectState(service.state());
    }

    /** @return null: none */
    static String templateOf(ProjectState project, String stream) {
        return MetadataIndexTemplateService.findV2Template(project.metadata(), stream, false);
    }

    /** Data streams by a list of names and patterns; a name that isn't there is an error, a pattern without a match is not. */
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
